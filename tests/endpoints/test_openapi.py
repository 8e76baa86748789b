"""The OpenAPI documents, against what is served: requests that are as they say, and requests that are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test.utils import override_settings
from django.urls import Resolver404, resolve
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from hypothesis.extra.django import TestCase as HypothesisTestCase
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
)

from tests.attempts import store
from tests.endpoints import drf_urls, ninja_urls
from tests.endpoints.test_any_request import is_said_by_drf, is_said_by_ninja

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
FEWER = settings(
    max_examples=settings().max_examples // 20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


class Documents(HypothesisTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        store()

    def setUp(self) -> None:
        # The connection is that of the test, which Django's own client keeps likewise.
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)
            self.addCleanup(signal.connect, close_old_connections)

    def conforms(
        self, urls: Any, document: dict[str, Any], said: Callable[[Any], bool], statuses: set[int]
    ) -> None:
        schema = schemathesis.openapi.from_dict(document)
        schema.app = WSGIHandler()
        self.enterContext(
            override_settings(
                ROOT_URLCONF=urls.__name__, ALLOWED_HOSTS=["*"], DEBUG_PROPAGATE_EXCEPTIONS=True
            )
        )
        for found in schema.get_all_operations():
            operation: Any = found.ok()  # type: ignore[union-attr]
            for mode in GenerationMode:

                @FEWER
                @given(case=operation.as_strategy(mode))
                def conforms(case: Any) -> None:
                    response = case.call()
                    case.validate_response(response, checks=CHECKS)
                    assert response.status_code in statuses
                    if response.status_code == 404 and "json" not in response.headers["content-type"][0]:
                        # It is of no URL.
                        with pytest.raises(Resolver404):
                            resolve(unquote(urlsplit(response.request.url).path))
                    elif response.status_code != 200:
                        assert said(response.json())

                conforms()

    def test_rest_framework(self) -> None:
        document = SchemaGenerator(patterns=drf_urls.urlpatterns).get_schema(request=None, public=True)
        self.conforms(drf_urls, document, is_said_by_drf, {200, 400, 404})

    def test_ninja(self) -> None:
        self.conforms(
            ninja_urls, ninja_urls.api.get_openapi_schema(path_prefix="/"), is_said_by_ninja, {200, 404, 422}
        )
