/**
 * The constants of the module `kore`, with Kore's numeric values.
 *
 * When to reach for it: through `kore`, as in `kore.log(kore.LOG_INFO, "hello")`.
 * What it is not: complete. Constants of WebSocket and of libcurl come with what they are for.
 *
 * Source: Kore, runtime §3.
 */

/** Priority of `kore.log`: an error. */
export const LOG_ERR = 3
/** Priority of `kore.log`: something worth noticing. */
export const LOG_NOTICE = 5
/** Priority of `kore.log`: information. */
export const LOG_INFO = 6

/** Kore's result "failed". */
export const RESULT_ERROR = 0
/** Kore's result "done". */
export const RESULT_OK = 1
/** Kore's result "again later". */
export const RESULT_RETRY = 2

/** A module is loaded. */
export const MODULE_LOAD = 1
/** A module is unloaded. */
export const MODULE_UNLOAD = 2

/** Flag of a timer that fires once. */
export const TIMER_ONESHOT = 1

/** Protocol of a connection: not known. */
export const CONN_PROTO_UNKNOWN = 0
/** Protocol of a connection: HTTP. */
export const CONN_PROTO_HTTP = 1
/** Protocol of a connection: WebSocket. */
export const CONN_PROTO_WEBSOCKET = 2
/** State of a connection that is open. */
export const CONN_STATE_ESTABLISHED = 2

/** `req.method` of GET. */
export const HTTP_METHOD_GET = 1
/** `req.method` of POST. */
export const HTTP_METHOD_POST = 2
/** `req.method` of PUT. */
export const HTTP_METHOD_PUT = 4
/** `req.method` of DELETE. */
export const HTTP_METHOD_DELETE = 16
/** `req.method` of HEAD. */
export const HTTP_METHOD_HEAD = 32
/** `req.method` of OPTIONS. */
export const HTTP_METHOD_OPTIONS = 64
/** `req.method` of PATCH. */
export const HTTP_METHOD_PATCH = 128
