"""A board as JSON, or as HTML by one's own template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django.core.cache import BaseCache, caches
from django.core.exceptions import ImproperlyConfigured
from django.db import DataError
from django.db.models import Model, Q
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.cache import patch_vary_headers
from django.utils.functional import cached_property
from django.views import View

from leaderboard.endpoints.boards import board_or_404, require_board
from leaderboard.endpoints.errors import InvalidParameter
from leaderboard.endpoints.export import FORMATS, export
from leaderboard.endpoints.filtering import filtered, looked_up
from leaderboard.endpoints.freshness import conditional
from leaderboard.endpoints.histogram import histogram_of
from leaderboard.endpoints.links import urls_of
from leaderboard.endpoints.members import whom
from leaderboard.endpoints.page import Page, Pager
from leaderboard.endpoints.parameters import Parameters
from leaderboard.endpoints.representation import Columns, plain, standing_of
from leaderboard.endpoints.what_if import what_would_be
from leaderboard.querysets.manager import LeaderboardQuerySet

__all__ = ["BoardView"]

# What a request says of pages, and of what else it asks for: no filter can be called so.
PAGING = ("size", "ordering", "cursor", "rank", "page", "member")
TAKEN = (*PAGING, "entry", "before", "after", "search", "of", "bins")
JSON = "application/json"
HTML = "text/html"
MOST_WORDS = 10


class BoardView(View):
    """Serves the boards of a model: pages of them, the neighbours of a member, one's standing, and files.

    A subclass says which ``model`` or ``queryset``, which ``board`` if not the first one, and which
    ``fields`` are shown of an entry: paths, or a mapping of names to them. What names the board comes from
    the URL. ``pager`` says how its pages are, ``filters`` are parameters by which it is filtered, with the
    lookup of each, ``search`` the paths in which the parameter ``search`` is looked for. With
    ``template_name``, pages are HTML for clients that prefer that.
    """

    model: type[Model] | None = None
    queryset: Any = None
    board: str | None = None
    fields: ClassVar[Sequence[str] | Mapping[str, str]] = ("pk",)
    pager = Pager()
    filters: ClassVar[Mapping[str, str]] = {}
    search: ClassVar[Sequence[str]] = ()
    template_name: str | None = None
    cache = "default"

    # What is asked for, of ROUTES.
    action = "page"
    # What a template has as ``view.page``.
    page: Page | None = None

    ROUTES: ClassVar[dict[str, str]] = {
        "page": "",
        "around": "around/",
        "standing": "standing/",
        "histogram": "histogram/",
        "what_if": "what-if/",
        "csv": "export.csv",
        "jsonl": "export.jsonl",
    }

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        """Return the function that answers; raises ``ImproperlyConfigured`` for what no request can mend."""
        for name in ("fields", "filters", "search"):
            if isinstance(given := initkwargs.get(name, getattr(cls, name)), str):
                raise ImproperlyConfigured(f"{cls.__name__}.{name} = {given!r} must be a list, or a mapping.")
        for name in initkwargs.get("filters", cls.filters):
            if name in TAKEN:
                raise ImproperlyConfigured(
                    f"{cls.__name__}.filters has {name!r}, which is a parameter of its own; "
                    f"call the filter otherwise than {', '.join(TAKEN)}."
                )
        return super().as_view(**initkwargs)

    @classmethod
    def urls(cls, name: str, **options: Any) -> list[URLPattern]:
        """Return the patterns for ``include()``, called ``name`` and an action: ``attempts-page``."""
        return [
            path(route, cls.as_view(action=action, **options), name=f"{name}-{action.replace('_', '-')}")
            for action, route in cls.ROUTES.items()
        ]

    # What is served

    def get_queryset(self) -> Any:
        """Return the entries that may be seen, of whatever boards there are."""
        if self.queryset is not None:
            queryset = self.queryset.all()
        elif self.model is not None:
            queryset = self.model._default_manager.all()
        else:
            raise ImproperlyConfigured(f"{type(self).__name__} needs a model or a queryset.")
        if not isinstance(queryset, LeaderboardQuerySet):
            raise ImproperlyConfigured(
                f"{type(self).__name__} shows {queryset.model._meta.label}, which has no boards by this "
                "manager: give it objects = LeaderboardManager(…), or the view a queryset that has some."
            )
        return queryset if self.board is None else queryset.board(self.board)

    def get_view(self) -> Any:
        """Return the entries that are asked for: of one board, filtered and searched.

        Raises ``Http404`` for what cannot name a board.
        """
        view = board_or_404(self.get_queryset(), **self.kwargs)
        for name, lookup in self.filters.items():
            if (text := self.parameters.text(name)) is not None:
                view = filtered(view, name, looked_up(view.model, name, lookup, text))
        words = (self.parameters.text("search") or "").split() if self.search else []
        if len(words) > MOST_WORDS:
            raise InvalidParameter("search", f"it has {len(words)} words, and may have {MOST_WORDS}.")
        for word in words:
            found = Q(*((f"{sought}__icontains", word) for sought in self.search), _connector=Q.OR)
            view = filtered(view, "search", found)
        return view.select_related(*related) if (related := self.columns.related) else view

    def get_scope(self) -> str:
        """Return what tells this request's view from others: the URL without what says which page it is."""
        own = {
            name: self.request.GET[name] for name in sorted({*self.filters, "search"} & {*self.request.GET})
        }
        return repr((self.request.path, own))

    @cached_property
    def columns(self) -> Columns:
        """What is shown of an entry."""
        return Columns(self.get_queryset().model, self.fields)

    @cached_property
    def parameters(self) -> Parameters:
        """The parameters of the request; raises ``InvalidParameter`` for a NUL byte in one."""
        return Parameters(self.request.GET)

    # The answers

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer what is asked for; what is wrong is a response of status 400 or 404 that says so."""
        template = self.get_template_name()
        kinds = [JSON] if template is None else [JSON, HTML]
        # Of a file the URL says what it is.
        kind = JSON if self.action in FORMATS else request.get_preferred_type(kinds)
        if kind is None:
            return self._error(406, f"There is {' and '.join(kinds)} only.")
        try:
            if self.action in FORMATS:
                return self.get_export()
            found = getattr(self, f"get_{self.action}")()
        except InvalidParameter as error:
            if kind == HTML:
                raise
            return self._error(400, error.reason, parameter=error.parameter)
        except (Http404, self.get_queryset().model.DoesNotExist) as error:
            if kind == HTML:
                raise Http404(str(error)) from error
            return self._error(404, str(error))
        except DataError as error:
            # A number that no column of the database has, say.
            if not request.GET:
                raise
            return self._error(400, str(error).partition("\n")[0])
        response: Any = JsonResponse(found)
        if template is not None and kind == HTML:
            response = TemplateResponse(request, template, {"board": found, "view": self}).render()
        patch_vary_headers(response, ["Accept"])
        scope = f"{kind} {request.get_full_path()} {self.get_scope()}"
        return conditional(request, response, self.get_cache(), scope)

    def get_template_name(self) -> str | None:
        """Return the template of the action; None where there is none."""
        return self.template_name if self.action == "page" else None

    def get_cache(self) -> BaseCache:
        """Return the cache that keeps when a board was last modified."""
        return caches[self.cache]

    def get_page(self) -> dict[str, Any]:
        """Return a page of the board, and where the others are."""
        view = self.get_view()
        self.page = page = self.pager.page(view, self.request.GET, scope=self.get_scope())
        if not page.entries:
            require_board(view)
        return {
            "ordering": page.ordering,
            "size": page.size,
            "entries": self._shown(page.entries),
            **urls_of(self.request, page),
        }

    def get_around(self) -> dict[str, Any]:
        """Return a member or an entry with its neighbours, as many as ``before`` and ``after`` say."""
        most = self.pager.max_size
        before, after = (self.parameters.whole(name, 5, least=0, most=most) for name in ("before", "after"))
        view = self.get_view()
        one = whom(self.parameters, view.leaderboard)
        return {
            "entries": self._shown(
                _of(one, lambda: self.pager.with_metrics(view).around(**one, before=before, after=after))
            )
        }

    def get_standing(self) -> dict[str, Any]:
        """Return the standing of a member, or of an entry."""
        view = self.get_view()
        one = whom(self.parameters, view.leaderboard)
        return {"standing": standing_of(_of(one, lambda: view.get_standing(**one)))}

    def get_histogram(self) -> dict[str, Any]:
        """Return how the values of a number or a duration are distributed on the board."""
        view = self.get_view()
        found = histogram_of(view, self.request.GET, self.pager.orderings(view))
        if not found.ranges:
            require_board(view)
        bins = [{"low": plain(r.low), "high": plain(r.high), "count": r.count} for r in found.ranges]
        return {"of": found.of, "bins": bins}

    def get_what_if(self) -> dict[str, Any]:
        """Return how many would qualify by another cut-off, and how many do."""
        view = self.get_view()
        found = what_would_be(view, self.request.GET, self.pager.orderings(view))
        if not found.ranked:
            require_board(view)
        counts = {name: getattr(found, name) for name in ("ranked", "qualified", "gained", "lost")}
        return {**counts, "now": {"qualified": found.qualified_now}}

    def get_export(self) -> HttpResponseBase:
        """Return all entries of the board as a file."""
        for name in PAGING:
            if self.parameters.text(name) is not None:
                raise InvalidParameter(name, "is of pages; a file has the whole board, in its order.")
        view = self.get_view()
        require_board(view)
        return export(view, self.columns, self.pager, self.action)

    def _shown(self, entries: Any) -> list[dict[str, Any]]:
        columns, prefix = self.columns, self.pager.prefix
        return [{"standing": standing_of(entry, prefix), **columns.of(entry)} for entry in entries]

    def _error(self, status: int, message: str, **about: str) -> JsonResponse:
        response = JsonResponse({"error": {"message": message, **about}}, status=status)
        patch_vary_headers(response, ["Accept"])
        return response


def _of(one: Mapping[str, Any], find: Callable[[], Any]) -> Any:
    """Return what is found of a member or an entry; raise ``InvalidParameter`` for what cannot be one."""
    try:
        return find()
    except ValueError as error:
        (name,) = one
        raise InvalidParameter("entry" if name == "pk" else name, str(error)) from error
