import sys

from cplane.main import main

sys.exit(main())
