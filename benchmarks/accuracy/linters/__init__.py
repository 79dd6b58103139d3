"""Log linters that install from PyPI, each in an environment of its own, on the zoo's runs."""
