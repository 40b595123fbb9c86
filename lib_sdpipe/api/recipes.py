"""Routes of recipes and prompt packs: read, saved, deleted, looked at before anything runs. Everybody has the same ones.

What does the work is imported where it is needed: the host's start waits for this module.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from lib_sdpipe.api.request_fields import check_fields, read_object, read_text, read_whole
from lib_sdpipe.api.route import ApiHost, answer, open_workspace, read_document
from lib_sdpipe.errors import RecordError, UsageError
from lib_sdpipe.manifest.records import Json

_MOST_SHOWN = 200


class RecipeRoutes:
    """A recipe or pack is replaced or deleted only by who has read it as it is: its `digest` is sent along."""

    def __init__(self, host: ApiHost) -> None:
        self._host = host

    def recipes(self, request: Request) -> Response:
        from lib_sdpipe.workspace.recipes import list_recipes

        return answer({"recipes": list_recipes(open_workspace(self._host, request))})

    def recipe(self, name: str, request: Request) -> Response:
        from lib_sdpipe.workspace.recipes import open_recipe

        opened = open_recipe(open_workspace(self._host, request), name)
        recipe = opened.recipe.to_json() if opened.recipe is not None else None
        return answer({"name": opened.name, "recipe": recipe, "faults": opened.faults, "text": opened.text, "digest": opened.digest})

    def save_recipe(self, name: str, request: Request) -> Response:
        from lib_sdpipe.pipeline.recipes import read_recipe
        from lib_sdpipe.workspace.recipes import save_recipe

        workspace, document = open_workspace(self._host, request), read_document(request)
        check_fields(document, "recipe", "digest")
        try:
            recipe = read_recipe(read_object(document, "recipe"), "the recipe")
        except RecordError as fault:
            raise UsageError(str(fault)) from fault
        return answer({"name": name, "digest": save_recipe(workspace, name, recipe, read_text(document, "digest"))})

    def delete_recipe(self, name: str, request: Request) -> Response:
        from lib_sdpipe.workspace.recipes import delete_recipe

        workspace, document = open_workspace(self._host, request), read_document(request)
        check_fields(document, "digest")
        return answer({"aside": delete_recipe(workspace, name, _digest(document))})

    def packs(self, request: Request) -> Response:
        from lib_sdpipe.workspace.recipes import list_packs

        found = list_packs(open_workspace(self._host, request))
        return answer({"packs": [{"name": name, "suffixes": list(suffixes)} for name, suffixes in found.items()]})

    def pack(self, name: str, request: Request) -> Response:
        from lib_sdpipe.pipeline.packs.preset import build_stages
        from lib_sdpipe.workspace.recipes import open_pack

        opened = open_pack(open_workspace(self._host, request), name)
        found = build_stages(opened.pack.preset if opened.pack is not None else {})
        return answer({
            "name": opened.name, "texts": opened.texts, "digests": opened.digests, "fault": opened.fault,
            "stages": [stage.to_json() for stage in found.stages], "notes": found.notes,
        })

    def save_pack(self, name: str, request: Request) -> Response:
        from lib_sdpipe.workspace.recipes import save_pack

        workspace, document = open_workspace(self._host, request), read_document(request)
        check_fields(document, "suffix", "text", "digest")
        suffix, text = read_text(document, "suffix"), read_text(document, "text")
        if suffix is None or text is None:
            raise UsageError("suffix and text: the ending of one of the pack's files, .txt, .tsv or .json, and what is in it")
        digest = save_pack(workspace, name, suffix, text, read_text(document, "digest"))
        return answer({"name": name, "suffix": suffix, "digest": digest})

    def delete_pack(self, name: str, request: Request) -> Response:
        from lib_sdpipe.workspace.recipes import delete_pack

        workspace, document = open_workspace(self._host, request), read_document(request)
        check_fields(document, "digests")
        digests = read_object(document, "digests")
        if not digests or not all(isinstance(digest, str) for digest in digests.values()):
            raise UsageError("digests: of each file of the pack that is to go, by its suffix")
        return answer({"aside": delete_pack(workspace, name, digests)})

    def preview_pack(self, name: str, request: Request) -> Response:
        from lib_sdpipe.workspace.asked_jobs import read_choices
        from lib_sdpipe.workspace.recipes import preview_pack, preview_text

        workspace, document = open_workspace(self._host, request), read_document(request)
        first = read_whole(document, "first") if document.get("first") is not None else 10
        texts = document.get("texts")
        _, choices = read_choices({"name": name, **{key: value for key, value in document.items() if key not in ("first", "texts")}})
        if texts is None:
            preview = preview_pack(workspace, name, choices, min(first, _MOST_SHOWN))
        elif isinstance(texts, dict) and all(isinstance(text, str) for text in texts.values()):
            preview = preview_text(name, texts, choices, min(first, _MOST_SHOWN))
        else:
            raise UsageError("texts: of a pack that is being written, by suffix")
        return answer({
            "count": preview.count, "items": [item.to_json() for item in preview.items], "warnings": list(preview.warnings),
            "refusal": preview.refusal,
        })


def _digest(document: Json) -> str:
    digest = read_text(document, "digest")
    if digest is None:
        raise UsageError("digest: that of the recipe as it was read")
    return digest
