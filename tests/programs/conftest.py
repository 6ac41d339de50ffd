"""Programs that are run as a whole, by the tests beside them."""

collect_ignore = ["moto_suite"]
