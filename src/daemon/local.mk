# src/daemon: what is built from this folder
