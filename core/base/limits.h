/*
 * limits.h: every cap of the agent in one place, each with its reason.
 *
 * A cap is either a bound on hostile or broken input, or a bound on memory.  Whoever hits one says
 * so (an error with a position, a counter, a log line), never silently.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* -- frames between agent and workers -- */
/* one SEQPACKET message; fits the default socket buffer three times */
#define LIMIT_FRAME_BYTES 65536
/* frames read from one worker before the others get their turn */
#define LIMIT_FRAMES_PER_TURN 64
/* waiting for one process: four of the largest HTTP requests on their way to fetch */
#define LIMIT_PROCESS_QUEUE_BYTES (32u << 20)
/* samples of one collection, encoded: about 200,000 series */
#define LIMIT_CALL_RESULT_BYTES (16u << 20)

/* -- workers, unless `limits:` of the instance says more or less -- */
/* libraries of databases and of TLS need some 20 */
#define LIMIT_WORKER_MEMORY_BYTES (256u << 20)
#define LIMIT_WORKER_DESCRIPTORS 64 /* a connection or two and files of /proc */

/* -- threads of the agent -- */
#define LIMIT_LOOP_POSTS 65536 /* work waiting for a loop; more means that the loop hangs */

/* -- what a plugin may declare or say -- */
#define LIMIT_MANIFEST_BYTES 60000   /* a manifest is one frame */
#define LIMIT_PLUGIN_FILES 1024      /* of all plugin directories */
#define LIMIT_COMPONENTS 64          /* of one plugin */
#define LIMIT_OPTIONS 256            /* of one component, groups counted */
#define LIMIT_OPTION_DEPTH 4         /* groups in groups; nobody has shown a need for more */
#define LIMIT_ACTIONS 64             /* of one component */
#define LIMIT_NAME_BYTES 128         /* names of plugins, components, instances, settings */
#define LIMIT_METRIC_NAME_BYTES 256  /* Prometheus has no limit; longer names are mistakes */
#define LIMIT_LABELS 32              /* of one series, Mimir's default is 30 */
#define LIMIT_LABEL_VALUE_BYTES 2048 /* as Mimir's default */
#define LIMIT_HELP_BYTES 1024        /* of a family, a setting, a summary */
#define LIMIT_BUCKETS 512            /* of one histogram or summary */
#define LIMIT_SUBJECTS 256    /* of one check: subjects and details beyond are counted, not kept */
#define LIMIT_TEXT_BYTES 4096 /* a message of a check, a detail, a log line of a plugin */
#define LIMIT_LOG_LINE_BYTES 1024        /* with its NUL, as plugin_api.h says */
#define LIMIT_VERDICT_BYTES (256u << 10) /* one, encoded: 256 subjects with 1 KiB each fit */
#define LIMIT_CALL_BYTES (4u << 20)      /* arguments of one call: a notification with its HTML */

/* -- notifications -- */
#define LIMIT_ALERTS 200                /* of one notification; more are counted in `ntruncated` */
#define LIMIT_PAIRS 64                  /* labels, annotations, headers; values of a template */
#define LIMIT_ALERT_TEXT_BYTES 65536    /* a description or annotation: stack traces fit */
#define LIMIT_FINGERPRINT_BYTES 16      /* 64 bits in hex */
#define LIMIT_RENDERED_BYTES (1u << 20) /* the text or HTML of a notification */
#define LIMIT_TITLE_BYTES 1024          /* of one that we render: a line that is read in a list */
#define LIMIT_PLAIN_BYTES                                                                          \
    65536 /* of a text that we render; the alerts travel beside it in full                         \
           */

/* -- alerts -- */
/* firing, or resolved and not told yet: some 600 bytes each */
#define LIMIT_ALERTS_ACTIVE 100000
#define LIMIT_ALERT_LABELS_BYTES 16384      /* names and values of one alert */
#define LIMIT_ALERT_BODY_BYTES (256u << 10) /* one alert with its annotations, encoded */
/* pending and active; ten times what is measured.  As many expired ones are kept beside them */
#define LIMIT_SILENCES 10000
#define LIMIT_SILENCE_TEXT_BYTES 4096 /* a comment; people write a sentence and a link */
#define LIMIT_SILENCE_NAME_BYTES 256  /* who made it: an e-mail address fits */
#define LIMIT_SILENCE_MATCHERS 32     /* an alert has few labels that say what it is about */
#define LIMIT_SILENCE_BYTES 16384     /* names and values of all its matchers */
#define LIMIT_INHIBIT_RULES 256       /* each alert is held against them once */
#define LIMIT_MATCH_STEPS 100000      /* of a regular expression over a label: some milliseconds */
#define LIMIT_MATCH_DEPTH 1000
#define LIMIT_MATCH_HEAP_KIB 1024
#define LIMIT_REGEX_BYTES 65536 /* of one, as it is written for PCRE2; that has the same limit */

/* -- rules -- */
#define LIMIT_EXPR_BYTES 16384  /* of one expression; the longest ones that are shared have 3 KB */
#define LIMIT_EXPR_DEPTH 200    /* brackets in brackets, and operators in a row; bounds the stack */
#define LIMIT_EXPR_NODES 4096   /* of one expression: what 16 KB of text can be, nearly */
#define LIMIT_EXPR_SELECTORS 64 /* of one expression; each keeps history */
#define LIMIT_EXPR_NAMES 64     /* matchers of a selector, labels of by(), on() and the like */
#define LIMIT_EXPR_ARGUMENTS 64 /* of a call; only label_join() takes any number */
/* read by one evaluation: 10,000 series of an hour at 15 s take 2.4 million */
#define LIMIT_EXPR_SAMPLES 10000000
#define LIMIT_EXPR_ELEMENTS 250000 /* of one vector: as many as there are series */
/* of one evaluation: five times a vector of all series */
#define LIMIT_EXPR_MEMORY_BYTES (256u << 20)
#define LIMIT_EXPR_LABEL_BYTES 16384 /* that label_replace() and label_join() make */
#define LIMIT_EXPR_MS 5000           /* of one evaluation; others wait for it */

/* -- the outbox -- */
#define LIMIT_OUTBOX_PENDING 2000000 /* notifications that wait: a gigabyte of disk or two */
#define LIMIT_OUTBOX_WINDOW 256      /* of one sink in memory, besides those under way */
#define LIMIT_OUTBOX_WINDOW_BYTES (2u << 20) /* of one sink: large ones are read when due */
#define LIMIT_OUTBOX_ENDED 20000 /* delivered and dead ones that are kept to be looked at */
#define LIMIT_OUTBOX_LIST 1000   /* rows of one answer */
#define LIMIT_OUTBOX_SINKS 1024  /* names with pending notifications, parked ones included */
#define LIMIT_BREAKER 5          /* failures in a row, then the sink rests */

/* -- templates of messages -- */
#define LIMIT_MUSTACHE_BYTES (256u << 10) /* of one; the mail of alerts has some 10 KiB */
#define LIMIT_MUSTACHE_TAGS 16384         /* of one, the texts between them counted */
#define LIMIT_MUSTACHE_NAME_BYTES 256
#define LIMIT_MUSTACHE_DEPTH 32    /* sections in sections; bounds the stack */
#define LIMIT_MUSTACHE_PARTIALS 16 /* partials in partials, which may name themselves */
#define LIMIT_MUSTACHE_STACK 128   /* sections that are open at a time, those of partials too */
/* tags run and values looked at: a tenth of a second; a mail of 200 alerts takes 50,000 */
#define LIMIT_MUSTACHE_STEPS 2000000
#define LIMIT_MUSTACHE_VALUES 100000 /* of the data; some 8 MB */

/* -- caches, watches -- */
#define LIMIT_CACHE_KEY_BYTES 1024         /* memcached allows 250; longer keys should be hashed */
#define LIMIT_CACHE_VALUE_BYTES (1u << 20) /* memcached's default */
#define LIMIT_CACHE_KEYS 1024              /* of one get_many() */
#define LIMIT_CURSOR_BYTES 4096            /* a watch's cursor, an event's id */

/* -- settings -- */
#define LIMIT_SETTING_BYTES 65536  /* one string of a setting; a PEM chain fits */
#define LIMIT_SETTING_ITEMS 1024   /* of a list, a map or groups */
#define LIMIT_SETTINGS_BYTES 60000 /* all settings of an instance, encoded: one frame */

/* -- configuration files -- */
#define LIMIT_CONFIG_FILES 256        /* conf.d; one a plugin is generous */
#define LIMIT_CONFIG_BYTES (1u << 20) /* of one file; 10,000 instances fit */
/* text of all nodes of one file, copies made by aliases included */
#define LIMIT_CONFIG_TREE_BYTES (8u << 20)
/* of one file; bounds what an alias bomb can cost to some 30 MiB */
#define LIMIT_CONFIG_NODES 200000
#define LIMIT_CONFIG_DEPTH 16    /* settings nest 6 deep at most; keeps recursion short */
#define LIMIT_CONFIG_ERRORS 50   /* nobody reads more at once; the rest is counted */
#define LIMIT_INSTANCES 20000    /* twice what the scheduler is measured with */
#define LIMIT_SECRET_BYTES 65536 /* of a `file:` secret: as LIMIT_SETTING_BYTES */
#define LIMIT_ROUTES 1024        /* nested ones counted; each alert is held against them */
#define LIMIT_RULE_FILES 1024    /* of rules; a file a team is generous */
#define LIMIT_RULE_GROUPS 2000
#define LIMIT_RULES 10000 /* ten times what is measured (bench/rules) */
#define LIMIT_LISTEN 16   /* addresses; nobody has shown a need for more than two */

/* -- the store -- */
#define LIMIT_SERIES 250000 /* in total: about 25 MB */
/* unless `limits:` says more: a flood costs 1 MB, node_exporter has 1,500 */
#define LIMIT_SERIES_PER_OWNER 10000
#define LIMIT_OWNERS 65535 /* a series names its owner in 16 bits; above LIMIT_INSTANCES */
#define LIMIT_SERIES_TEXT_BYTES 8192 /* name and labels of one series as a scrape shows them */

/* -- history of series that rules look at -- */
/* an hour at 15 s of 60,000 series like a host's; issue 4 wants 10,000 of them in 10 MiB */
#define LIMIT_HISTORY_BYTES (64u << 20)
/* of a sample's own time, as Prometheus: one from next year would stop its series until then */
#define LIMIT_HISTORY_AHEAD_MS 600000

/* -- durable state -- */
/* jobs that wait for a commit; every connection of the server and a storm of verdicts fit */
#define LIMIT_STATE_JOBS 16384
/* jobs of one commit: bounds what one failed commit takes along, and how long timers wait */
#define LIMIT_STATE_BATCH 512
#define LIMIT_STATE_STATEMENTS 256 /* prepared ones; they are constants of the source */
/* SQLite's own copy of pages: interior ones and those of a batch; the kernel has the rest */
#define LIMIT_STATE_CACHE_KIB 1024
/* of the log before it is copied into the database: a restart reads it twice */
#define LIMIT_STATE_WAL_PAGES 1000
/* of the log when a large commit is over; below the reserve and the log together */
#define LIMIT_STATE_WAL_BYTES 8388608
/* read and checked as a whole at the start: takes some 0.1 s; larger ones while they are used */
#define LIMIT_STATE_CHECK_BYTES (32u << 20)
/* kept free for a full disk: what a day of deliveries writes, the log included */
#define LIMIT_STATE_RESERVE_BYTES (4u << 20)
/* of one row, where a damaged file is read: four times the largest notification */
#define LIMIT_STATE_ROW_BYTES (16u << 20)
#define LIMIT_STATE_PAGES (16u << 20) /* of a damaged file that is read: 64 GiB, 16 MB of notes */
#define LIMIT_STATE_ASIDE 3           /* damaged files that are kept for people to look at */
#define LIMIT_STATE_BUSY_MS 2000      /* for another program that has the file open, at the start */

/* -- HTTP for plugins -- */
#define LIMIT_HTTP_FLIGHTS 128    /* requests at once; what comes on top is refused, not queued */
#define LIMIT_HTTP_HOSTS 64       /* that one instance may speak to */
#define LIMIT_HTTP_REFUSED 64     /* listeners of ours; above LIMIT_LISTEN */
#define LIMIT_HTTP_URL_BYTES 8192 /* as most servers */
#define LIMIT_HTTP_HEADERS 128    /* of a request or an answer; Apache takes 100 */
#define LIMIT_HTTP_HEADER_BYTES 65536    /* all header lines of an answer */
#define LIMIT_HTTP_BODY_BYTES (1u << 20) /* of an answer that a plugin gets to see */
/* of an answer to the command line: a scrape of all series */
#define LIMIT_HTTP_CLIENT_BYTES (64u << 20)
/* a request, encoded: an e-mail with its HTML and a picture */
#define LIMIT_HTTP_REQUEST_BYTES (8u << 20)
/* curl takes 30 by default, browsers 20; a check wants to know earlier */
#define LIMIT_HTTP_REDIRECTS 10
#define LIMIT_HTTP_RETRY_AFTER_MS 86400000 /* a day: who says more is asked daily */

/* -- the HTTP server -- */
#define LIMIT_SERVER_CONNECTIONS 512 /* in total: 16 MB of buffers in the worst case */
/* connections, off loopback (IPv6: per /64): nobody has them all */
#define LIMIT_SERVER_PER_IP 64
#define LIMIT_SERVER_HEADER_BYTES 16384 /* request line and headers; many cookies make 8 KiB */
#define LIMIT_SERVER_QUERY_BYTES 8192   /* a longer query is not looked at */
#define LIMIT_SERVER_PARAMETERS 64      /* of a query; the rest of it is not looked at */
/* a connection's buffer, zeroed after each request; also scrape's chunks */
#define LIMIT_SERVER_POOL_BYTES 32768
/* of a scrape rendered before it is sent; 100,000 series fit */
#define LIMIT_SERVER_WHOLE_BYTES (8u << 20)
/* such scrapes at a time; further ones are rendered as they are taken */
#define LIMIT_SERVER_WHOLES 2
#define LIMIT_SERVER_BODY_BYTES 65536 /* of a request that says nothing else */
#define LIMIT_SERVER_ALERTS_BYTES                                                                  \
    (4u << 20) /* of alerts: a batch of 10,000 with 400 bytes each                                 \
                */
/* of all that are kept at a time: four such batches; what comes on top is told to come later */
#define LIMIT_SERVER_BODIES_BYTES (16u << 20)
/* read of a body that is too long, so that 413 arrives */
#define LIMIT_SERVER_DISCARD_BYTES (1u << 20)
/* until a request is complete, from the end of the one before */
#define LIMIT_SERVER_RECEIVE_MS 30000
/* until its answer was taken; Prometheus gives up after 10 s */
#define LIMIT_SERVER_ANSWER_MS 60000
#define LIMIT_SERVER_ASK_MS 15000 /* until the agent answered; a reload stops old workers */
#define LIMIT_SERVER_ASKS 64      /* questions to the agent at a time */
/* alerts that wait for the disk at a time; below LIMIT_SERVER_CONNECTIONS, for probes come too */
#define LIMIT_SERVER_WRITES 384
#define LIMIT_SERVER_TESTS 8        /* sinks that are tried at a time, each for up to a minute */
#define LIMIT_SERVER_TEST_MS 120000 /* until a sink that is tried has answered */

/* -- flapping -- */
/* sets of labels whose changes are counted; the one that was quiet for longest makes room */
#define LIMIT_FLAPS 4096

/* -- time zones and maintenance windows -- */
#define LIMIT_ZONE_BYTES 65536   /* a file of the system's; the longest has 4 kB */
#define LIMIT_ZONE_NAME_BYTES 64 /* America/Argentina/ComodRivadavia has 32 */
#define LIMIT_WINDOWS 64         /* of one route */

/* -- acknowledgements -- */
#define LIMIT_ACK_BY_BYTES 128       /* who it was */
#define LIMIT_ACK_COMMENT_BYTES 1024 /* what they had to say */
/* of a form or an object with both, each byte of them escaped as three, or six */
#define LIMIT_SERVER_ACK_BYTES 8192

/* -- the API of alerts and notifications -- */
#define LIMIT_API_ALERTS 10000 /* of one request: their answer takes a megabyte */
/* of alerts that were parsed and wait for the disk: a disk that hangs fills no memory */
#define LIMIT_API_WAITING_BYTES (32u << 20)
#define LIMIT_API_VALUES 4096      /* of one alert, in its JSON: bounds what its tree takes */
#define LIMIT_API_DEPTH 32         /* of its JSON */
#define LIMIT_API_TTL_MS 604800000 /* a week: who has not spoken for so long is gone */
#define LIMIT_API_MATCHERS 16      /* filters of one list */
#define LIMIT_API_LIST 5000        /* alerts of one answer */
/* of a list of /api/v2, which has no pages: 100,000 alerts with 600 bytes each */
#define LIMIT_API_V2_LIST_BYTES (64u << 20)
#define LIMIT_API_LIST_BYTES (8u << 20) /* of its text; what comes on top is counted */
/* that the state's thread may spend on the regular expressions of one list */
#define LIMIT_API_LIST_MS 200

#endif
