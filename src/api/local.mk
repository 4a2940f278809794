# src/api: what is built from this folder
