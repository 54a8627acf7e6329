from tests.compare.conftest import files_with, make_data  # noqa: F401 - fixtures
from tests.registry.conftest import make_model, make_row, make_version, tracking  # noqa: F401 - fixtures
