"""Reports of pytest runs: sections of failing tests, the table and the HTML page of a run, the policies of a run.

Each process records which mocks its tests enter (`registry`). The calls of a test become plain data (`entries`), which
pytest-xdist sends to the process that reports.
"""
