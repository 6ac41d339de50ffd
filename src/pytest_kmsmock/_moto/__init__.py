"""Everything that depends on moto's internals. No other package imports moto; arguments and results are plain data."""
