#include "model/decision.h"
#include "base/must.h"

static const struct {
    const char *name, *text;
} reasons[REASON_COUNT] = {
    [REASON_UNKNOWN_USE] = { "unknown_use", "This use is not in the configuration." },
    [REASON_PERMITTED] = { "permitted", "Nothing stands against it." },
    [REASON_NO_ROLE] = { "no_role", "The recipient uses data for itself, and its own purposes are "
                                    "not mapped." },
    [REASON_ERASED] = { "erased", "This subject was erased." },
    [REASON_RESTRICTED] = { "restricted", "Processing of this subject's data is restricted." },
    [REASON_NO_TRANSFER_BASIS] = { "no_transfer_basis",
                                   "No valid basis for the transfer outside the EEA today." },
    [REASON_UNKNOWN_PURPOSE] = { "unknown_purpose",
                                 "A required purpose is not in the configuration." },
    [REASON_NO_CONSENT] = { "no_consent", "Nobody agreed to this purpose." },
    [REASON_REFUSED] = { "refused", "This purpose was refused." },
    [REASON_WITHDRAWN] = { "withdrawn", "The consent was withdrawn." },
    [REASON_UNCONFIRMED] = { "unconfirmed", "The consent came from somebody who could not give it, "
                                            "and is not confirmed." },
    [REASON_NO_PROOF] = { "no_proof", "The consent has no proof of what was shown." },
    [REASON_OBJECTED] = { "objected", "There is an objection to this purpose." },
    [REASON_NO_TERMINAL_ACCESS] = { "no_terminal_access", "The device would be read without the "
                                                          "consent that this needs." },
    [REASON_RECIPIENT_NOT_NAMED] = { "recipient_not_named",
                                     "The text that was agreed to does not name this recipient." },
    [REASON_TEXT_VOIDED] = { "text_voided", "The text that was agreed to was declared void." },
    [REASON_EXPIRED] = { "expired", "The consent is too old." },
    [REASON_NOT_VERIFIED] = { "not_verified", "The address is not verified (double opt-in)." },
    [REASON_SIGNAL] = { "signal", "The browser sent Global Privacy Control or Do Not Track." },
    [REASON_CLIENT_LOWERED] = { "client_lowered", "The event itself says no." },
    [REASON_NOT_AT_CAPTURE] = { "not_at_capture",
                                "It was not permitted when the event was collected." },
    [REASON_NO_ID] = { "no_id",
                       "The id that the recipient needs may not leave, or there is none." },
    [REASON_UNSUITABLE] = { "unsuitable", "The recipient has no such event." },
    [REASON_TOO_OLD] = { "too_old", "The event is older than the recipient takes." },
    [REASON_TEST] = { "test", "The event came with a test key." },
};

const char *reason_name(enum reason r)
{
    must(r >= 0 && r < REASON_COUNT);
    return reasons[r].name;
}

const char *reason_text(enum reason r)
{
    must(r >= 0 && r < REASON_COUNT);
    return reasons[r].text;
}
