# src/terminal: what is built from this folder
