"""A page that shows what a model learned."""

from vaekit.report.page import write_report

__all__ = ["write_report"]
