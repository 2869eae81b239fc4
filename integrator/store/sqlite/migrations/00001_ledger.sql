-- +goose Up
-- Times are UTC nanoseconds since 1970, 0 for never. Amounts are minor units of the bill's currency.
-- A bill's axes and times that nothing searches for are JSON in state; what is money, key or clock has a row.

CREATE TABLE terminals (
    name         TEXT   PRIMARY KEY,
    key          TEXT   NOT NULL, -- Ed25519, base64
    epoch        BIGINT NOT NULL,
    journal      TEXT   NOT NULL,
    boot         TEXT   NOT NULL,
    writes       BIGINT NOT NULL,
    seq          BIGINT NOT NULL, -- of the last event
    acked        BIGINT NOT NULL,
    trimmed      BIGINT NOT NULL, -- events up to here are gone
    memory       TEXT   NOT NULL, -- lost, restored: what the box has yet to be told about its journal
    resync       BIGINT NOT NULL, -- until it has acknowledged this event
    numbers_day  TEXT   NOT NULL, -- the newest block
    numbers_from BIGINT NOT NULL,
    numbers_to   BIGINT NOT NULL,
    opened_at    BIGINT NOT NULL
);

CREATE TABLE days (
    merchant TEXT   PRIMARY KEY,
    day      TEXT   NOT NULL,
    start    BIGINT NOT NULL,
    used     BIGINT NOT NULL
);

CREATE TABLE bills (
    id          TEXT    PRIMARY KEY,
    merchant    TEXT    NOT NULL,
    terminal    TEXT    NOT NULL,
    lane        TEXT    NOT NULL,
    reference   TEXT    NOT NULL,
    number      TEXT    NOT NULL,
    provider    TEXT    NOT NULL,
    amount      BIGINT  NOT NULL,
    currency    TEXT    NOT NULL,
    kept        BIGINT  NOT NULL,
    life        TEXT    NOT NULL,
    open        BOOLEAN NOT NULL, -- not closed, or closed by a clock that the box has not answered yet
    status      TEXT    NOT NULL,
    doubt       BOOLEAN NOT NULL,
    doubt_since BIGINT  NOT NULL,
    review      BOOLEAN NOT NULL, -- a person is wanted: the bill's own flag, or an obligation's
    settled     BOOLEAN NOT NULL, -- closed, and nothing owed, in doubt or under review
    version     BIGINT  NOT NULL,
    created_at  BIGINT  NOT NULL,
    parts       BIGINT  NOT NULL, -- bits: which of the tables below have rows of it
    state       TEXT    NOT NULL
);
CREATE UNIQUE INDEX bills_reference ON bills (terminal, lane, reference) WHERE reference <> '';
CREATE INDEX bills_open ON bills (terminal, created_at) WHERE open;
CREATE INDEX bills_unsettled ON bills (terminal, created_at) WHERE NOT settled;

CREATE TABLE orders (
    provider TEXT   NOT NULL,
    id       TEXT   NOT NULL,
    bill     TEXT   NOT NULL REFERENCES bills (id),
    attempt  BIGINT NOT NULL,
    PRIMARY KEY (provider, id)
);

CREATE TABLE credits (
    provider TEXT    NOT NULL,
    txn      TEXT    NOT NULL,
    bill     TEXT    NOT NULL REFERENCES bills (id),
    n        BIGINT  NOT NULL,
    amount   BIGINT  NOT NULL,
    paid_at  BIGINT  NOT NULL,
    attempt  BIGINT  NOT NULL,
    quote    TEXT    NOT NULL,
    late     BOOLEAN NOT NULL,
    evidence TEXT    NOT NULL,
    PRIMARY KEY (provider, txn)
);
CREATE UNIQUE INDEX credits_bill ON credits (bill, n);

CREATE TABLE obligations (
    bill     TEXT   NOT NULL REFERENCES bills (id),
    n        BIGINT NOT NULL,
    id       TEXT   NOT NULL,
    provider TEXT   NOT NULL,
    txn      TEXT   NOT NULL, -- of the credit that it is paid out of
    amount   BIGINT NOT NULL,
    why      TEXT   NOT NULL,
    key      TEXT   NOT NULL, -- of the return that asked for it
    state    TEXT   NOT NULL,
    request  TEXT   NOT NULL, -- id of the present try
    method   TEXT   NOT NULL,
    next_at  BIGINT NOT NULL,
    rest     TEXT   NOT NULL,
    PRIMARY KEY (bill, n)
);
CREATE UNIQUE INDEX obligations_request ON obligations (provider, request) WHERE request <> '';
CREATE INDEX obligations_credit ON obligations (provider, txn);

CREATE TABLE attempts (
    bill     TEXT    NOT NULL REFERENCES bills (id),
    n        BIGINT  NOT NULL,
    order_id TEXT    NOT NULL,
    hash     TEXT    NOT NULL, -- of the customer's code
    running  BOOLEAN NOT NULL,
    rest     TEXT    NOT NULL,
    PRIMARY KEY (bill, n)
);

CREATE TABLE returns (
    bill    TEXT    NOT NULL REFERENCES bills (id),
    key     TEXT    NOT NULL,
    n       BIGINT  NOT NULL,
    asker   TEXT    NOT NULL,
    whole   BOOLEAN NOT NULL,
    amount  BIGINT  NOT NULL,
    outcome TEXT    NOT NULL,
    why     TEXT    NOT NULL,
    at      BIGINT  NOT NULL,
    PRIMARY KEY (bill, key)
);

CREATE TABLE quotes (
    bill   TEXT    NOT NULL REFERENCES bills (id),
    n      BIGINT  NOT NULL,
    id     TEXT    NOT NULL,
    amount BIGINT  NOT NULL,
    total  BIGINT  NOT NULL,
    ends   BIGINT  NOT NULL,
    until  BIGINT  NOT NULL, -- ends and its grace
    gone   BOOLEAN NOT NULL,
    PRIMARY KEY (bill, n)
);

CREATE TABLE calls (
    terminal TEXT   NOT NULL,
    id       TEXT   NOT NULL,
    bill     TEXT   NOT NULL REFERENCES bills (id),
    hash     TEXT   NOT NULL, -- of the params
    outcome  TEXT   NOT NULL,
    owed     BIGINT NOT NULL,
    PRIMARY KEY (terminal, id)
);

CREATE TABLE events (
    terminal TEXT   NOT NULL REFERENCES terminals (name),
    seq      BIGINT NOT NULL,
    type     TEXT   NOT NULL,
    bill     TEXT   NOT NULL,
    fresh    BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    body     TEXT   NOT NULL,
    PRIMARY KEY (terminal, seq)
);

CREATE TABLE work (
    queue    TEXT    NOT NULL, -- a provider, '' for the server's own clocks
    bill     TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    attempt  BIGINT  NOT NULL,
    request  TEXT    NOT NULL,
    method   TEXT    NOT NULL,
    txn      TEXT    NOT NULL,
    amount   BIGINT  NOT NULL,
    due      BIGINT  NOT NULL, -- as asked for
    ready    BIGINT  NOT NULL, -- when it can be claimed: due, or the end of a lease
    leased   BOOLEAN NOT NULL,
    tries    BIGINT  NOT NULL, -- claims
    gen      BIGINT  NOT NULL, -- +1 each time it is asked for again
    PRIMARY KEY (bill, kind, attempt, request)
);
CREATE INDEX work_ready ON work (queue, ready);

CREATE TABLE inbox (
    provider TEXT   NOT NULL,
    order_id TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    bill     TEXT   NOT NULL, -- '' while nobody knows the order
    PRIMARY KEY (provider, order_id, at)
);
CREATE INDEX inbox_at ON inbox (at);

CREATE TABLE notices (
    bill TEXT   NOT NULL REFERENCES bills (id),
    code TEXT   NOT NULL,
    at   BIGINT NOT NULL,
    PRIMARY KEY (bill, code, at)
);
