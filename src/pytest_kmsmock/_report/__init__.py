"""What pytest shows of KMS: the section of a failing test, the table and the page of a run, the policies of a run.

Each process watches which mocks its tests enter (`registry`); what a test did becomes plain data (`entries`), which
pytest-xdist can carry to the process that reports.
"""
