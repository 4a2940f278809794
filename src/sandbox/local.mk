# src/sandbox: what is built from this folder
