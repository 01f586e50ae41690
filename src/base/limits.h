/* base/limits.h - every maximum of licet, in one place.
 *
 * Any byte from outside is measured against one of these before memory is taken
 * for it; past the limit the answer names the field, and nothing is half written.
 * Sizes are bytes unless the name says otherwise. docs/operations.md lists
 * those that a user can meet.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* HTTP */
#define LIMIT_BODY (4u << 20) /* one request body, as sent (RudderStack's gateway: 4000 KB) */
#define LIMIT_BODY_INFLATED (8u << 20)    /* the same after gzip */
#define LIMIT_CONSENT_BODY (1u << 20)     /* the consent interface: 1 MB, then 413 */
#define LIMIT_CONNECTIONS 100000          /* open at once: the most that can be configured */
#define LIMIT_CONNECTION_POOL (16u << 10) /* header block of one request */
#define LIMIT_FLOOR_RATE 4096             /* bytes a second, once `body` or `answer` is over */
#define LIMIT_ANSWER_S 30                 /* to read an answer, and what LIMIT_FLOOR_RATE adds */
#define LIMIT_BODIES (128u << 20)         /* bodies of all requests being received together */
#define LIMIT_LOOKS 512                   /* requests that wait for the reader */
#define LIMIT_CERTIFICATE (256u << 10)    /* a file of certificates, or a key */
#define LIMIT_CHAIN 16                    /* certificates in one */

/* JSON */
#define LIMIT_JSON_DEPTH 64
#define LIMIT_JSON_NODES (1u << 20) /* values and keys in one document */
#define LIMIT_JSON_STRING (1u << 20)

/* events */
#define LIMIT_EVENT (32u << 10)  /* one message (Segment: 32 KB) */
#define LIMIT_BATCH 2500         /* messages in one request (Segment) */
#define LIMIT_ID 255             /* subject.id, userId, anonymousId, messageId */
#define LIMIT_DEDUPE_IDS 1000000 /* message ids remembered, all sources together */
#define LIMIT_DEDUPE_MS (24LL * 3600 * 1000)
#define LIMIT_GROUP_BYTES                                                                          \
    (16u << 20) /* one group commit takes no more; further requests wait a tick */

/* the consent database */
#define LIMIT_PREFERENCES 64 /* names in one act */
#define LIMIT_PREFERENCE_NAME 128
#define LIMIT_CONSENT_TYPE 64
#define LIMIT_NOTICES_PER_ACT 32
#define LIMIT_PROOFS_PER_ACT 16
#define LIMIT_CMP_MEMBER 16384 /* of an act: what a consent platform makes known */
#define LIMIT_CMP_GRANTED 256
#define LIMIT_SUBJECT_FIELD 1024  /* e-mail, names */
#define LIMIT_DOCUMENT (4u << 20) /* one uploaded file: the most that can be configured */
#define LIMIT_DOCUMENT_BODY (LIMIT_DOCUMENT + (64u << 10)) /* with the form around it */
#define LIMIT_DOCUMENT_NAME 255
#define LIMIT_NOTICE (1u << 20) /* a watched notice, as it is fetched and as text */
#define LIMIT_WATCHED 32        /* notices that are watched */
#define LIMIT_PARTS 16          /* of one form with files */
#define LIMIT_PART_HEAD 4096    /* the headers of one */
#define LIMIT_CLAIM_AHEAD_MS (5LL * 60 * 1000)
#define LIMIT_PUBLIC_VERSION_GRACE_MS (7LL * 24 * 3600 * 1000)
#define LIMIT_READ_TOKEN_MS (3600LL * 1000) /* the life of one */
#define LIMIT_IDEMPOTENCY_KEY 255
#define LIMIT_IDEMPOTENCY_MS (24LL * 3600 * 1000)
#define LIMIT_SNAPSHOTS 32768       /* subjects kept in memory */
#define LIMIT_LIST 100              /* items on one page of a list */
#define LIMIT_RECORD (1u << 20)     /* one record of an import: LIMIT_CONSENT_BODY */
#define LIMIT_CSV_FIELDS 256        /* of one row */
#define LIMIT_IMPORT_MS 20          /* of the loop's time for one request of an import */
#define LIMIT_IMPORT_REFUSED 100000 /* refused lines of an import that are told one by one */
#define LIMIT_IMPORT_PAGE 1000      /* of them in one answer */
#define LIMIT_VOID_REASON 1024
#define LIMIT_REPORT_SENT 10000 /* events of one subject in a report of a voided text */
#define LIMIT_EXAMINED 10000    /* rows that one filter may look at */

/* double opt-in */
#define LIMIT_MAILBOX 254        /* an e-mail address (RFC 5321) */
#define LIMIT_LETTER (16u << 10) /* one letter as the configuration has it */
#define LIMIT_LETTER_FILLED (64u << 10)
#define LIMIT_LETTER_LIFE_MS                                                                       \
    (30LL * 24 * 3600 * 1000)    /* of a link: the most that can be configured */
#define LIMIT_LETTERS_AT_ONCE 16 /* handed to the mail server one behind the other */
#define LIMIT_DISOWNED_MS (90LL * 24 * 3600 * 1000) /* no letter to who said "this was not me" */
#define LIMIT_SMTP_S 60                             /* one letter */
#define LIMIT_LETTER_TOKEN 64                       /* bytes of the path that can be a token */

/* policy */
#define LIMIT_PURPOSES 64
#define LIMIT_VERSIONS 256    /* of one purpose */
#define LIMIT_DESTINATIONS 32 /* names over the life of one database */
#define LIMIT_PURPOSES_PER_USE 16
#define LIMIT_FIELD_RULES 256 /* of one destination */
#define LIMIT_TRANSFERS 8     /* of one destination */
#define LIMIT_FIELD_PATH 255
#define LIMIT_KEYS 64
#define LIMIT_CONF (1u << 20) /* the configuration file */

/* delivery */
#define LIMIT_SEND_EVENTS 500 /* events in one outgoing request */
#define LIMIT_SEND_BYTES (1u << 20)
#define LIMIT_FIELD_SETS 128 /* of field names that one request tells apart (deliver/names.h) */
#define LIMIT_FIELD_SETS_BYTES (64u << 10) /* of these together */
#define LIMIT_FIELD_SET (8u << 10)         /* of one of them */
#define LIMIT_AT_ONCE 64                   /* outgoing requests on their way to one destination */
#define LIMIT_WAITING 256 /* of one destination not finished: then nothing new is begun there */
#define LIMIT_ANSWER (64u << 10)      /* of a receiver's answer, the rest is cut */
#define LIMIT_ANSWER_HEAD (32u << 10) /* of its header, interim answers included: else it is none */
#define LIMIT_SEND_S 30               /* one outgoing request */
#define LIMIT_CONNECT_S 10
#define LIMIT_ATTEMPTS 12 /* then a dead letter: about a day */
#define LIMIT_RETRY_AFTER_S 86400
#define LIMIT_HOOKS 16
#define LIMIT_HOOK_PATIENCE_MS (3LL * 24 * 3600 * 1000) /* of one message, then it is dead */
#define LIMIT_BARRIER_MS 2000 /* a withdrawal waits for sends that had begun */
#define LIMIT_WITHDRAWAL_SHOWN 100

/* proofs */
#define LIMIT_SEAL_GROUPS (1u << 18)   /* groups that one seal covers: its tree is 16 MB */
#define LIMIT_SIGNING_KEYS 64          /* over the life of one installation */
#define LIMIT_STAMP (64u << 10)        /* a time stamp */
#define LIMIT_PROOF_FACTS 1000000      /* facts in one file */
#define LIMIT_PROOF_SEALS 4096         /* seals in one file */
#define LIMIT_PROOF_LINE (48u << 20)   /* one line: a group's leaves, a version's texts */
#define LIMIT_PROOF_CHUNK (256u << 10) /* bytes of one string in it */

#endif
