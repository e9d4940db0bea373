"""The command line: `headway` and what its commands print."""

from headway_pipelines.cli.commands import app as app
from headway_pipelines.cli.commands import main as main
