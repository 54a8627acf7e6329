"""Every change to the registry starts here, whoever asks."""

from registry.services.aliases import (
    UNSEEN,
    LooksAlike,
    Unseen,
    alias_etag,
    delete_alias,
    is_protected_alias,
    move_protected_alias,
    protect_alias,
    protected_names,
    set_alias,
    transition_stage,
    unprotect_alias,
)
from registry.services.entitled import require_administering, require_describing
from registry.services.integrity import (
    VERIFY,
    note_download,
    note_intact,
    report_broken,
    request_verification,
)
from registry.services.models import (
    UNCHANGED,
    change_model,
    checked_tier,
    create_model,
    delete_model,
    rename_model,
    update_model,
)
from registry.services.prompts import create_prompt, require_writing, write_prompt_version
from registry.services.registration import fail_registration, finish_registration
from registry.services.run_models import already_registered, register_logged
from registry.services.runs import note_run_download, settle_run
from registry.services.tags import delete_tag, set_tag
from registry.services.versions import (
    FINALISE,
    create_version,
    delete_version,
    retry_registration,
    update_version,
)

__all__ = [
    "FINALISE",
    "UNCHANGED",
    "UNSEEN",
    "VERIFY",
    "LooksAlike",
    "Unseen",
    "alias_etag",
    "already_registered",
    "change_model",
    "checked_tier",
    "create_model",
    "create_prompt",
    "create_version",
    "delete_alias",
    "delete_model",
    "delete_tag",
    "delete_version",
    "fail_registration",
    "finish_registration",
    "is_protected_alias",
    "move_protected_alias",
    "note_download",
    "note_intact",
    "note_run_download",
    "protect_alias",
    "protected_names",
    "register_logged",
    "rename_model",
    "report_broken",
    "request_verification",
    "require_administering",
    "require_describing",
    "require_writing",
    "retry_registration",
    "set_alias",
    "set_tag",
    "settle_run",
    "transition_stage",
    "unprotect_alias",
    "update_model",
    "update_version",
    "write_prompt_version",
]
