"""Pages of which htmx asks for a part."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.generic import TemplateView

__all__ = ["PartlyView"]


class PartlyView(TemplateView):
    """A page by ``template_name``, or what ``part_name`` has of it for htmx."""

    part_name: ClassVar[str]

    def get_template_names(self) -> list[str]:
        """Return the template of the page, or of its part."""
        return [self.part_name] if self.request.htmx else super().get_template_names()  # type: ignore[attr-defined]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Return the response; a browser that goes back must not take the part for the page."""
        response = super().dispatch(request, *args, **kwargs)
        patch_vary_headers(response, ["HX-Request"])
        return response
