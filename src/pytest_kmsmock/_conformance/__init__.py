"""Recorded behavior of AWS KMS as data, and the command that compares a mock, an endpoint or an account with it.

`scenarios/` has the data: calls, and what AWS answers to them, each with its source. `scenario_files` reads it,
`runner` runs it against a target (`targets`, `remote`), `report` and `recording` write down what came of it.
"""
