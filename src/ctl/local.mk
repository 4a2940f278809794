# src/ctl: punchctl; not built until its doctor and watch are written
