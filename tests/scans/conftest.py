from tests.registry.conftest import make_model, make_row, make_version, tracking  # noqa: F401 - fixtures
