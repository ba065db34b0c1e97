/**
 * The options of HTTP/1.1 and WebSocket servers.
 *
 * When to reach for it: to add or change one of these options; `Config.ts` builds everything else from the table.
 * What it is not: options of one server or one domain, which are arguments of `Server.tcp` and `Domain.layer`.
 */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import { define } from "./Definition.ts"
import * as Kind from "./Kind.ts"

// Numbers that JavaScript counts exactly, with room to add to them.
const largestBody = "1 PiB"

// Kore counts these timeouts in whole seconds from 1; text with units may go lower, down to what a timer can tell.
const timeout = Kind.duration("seconds", "1 millis", "65535 seconds")

/** The options of HTTP/1.1 and WebSocket servers. */
export const httpOptions = {
  /**
   * Bytes of a request's line and header fields, above which it gets 431; Kore's 4096 is too few for browsers with
   * cookies. A size from 1 B to 1 MiB, such as "64 KiB", or a number of bytes; default: 16 KiB.
   */
  httpHeaderMax: define({
    kind: Kind.size("1 B", "1 MiB"),
    default: ByteSize.kibibytes(16),
    doc: "Bytes of a request's line and header fields, above which it gets 431; Kore's 4096 is too few for browsers " +
      "with cookies."
  }),
  /** Header fields of a request, above which it gets 431. An integer between 1 and 65535; default: 100. */
  httpHeaderCount: define({
    kind: Kind.integer(1, 65_535),
    default: 100,
    doc: "Header fields of a request, above which it gets 431."
  }),
  /**
   * Time a client has to send the head of a request before it gets 408. A duration from 1 milli to 65535 seconds, such
   * as "10 seconds", or a number of seconds; default: 10 seconds.
   */
  httpHeaderTimeout: define({
    kind: timeout,
    default: Duration.seconds(10),
    doc: "Time a client has to send the head of a request before it gets 408."
  }),
  /**
   * Bytes of a request's body, above which it gets 413. A size from 0 B to 1 PiB, such as "64 KiB", or a number of
   * bytes; default: 1000 KiB.
   */
  httpBodyMax: define({
    kind: Kind.size("0 B", largestBody),
    default: ByteSize.bytes(1_024_000),
    doc: "Bytes of a request's body, above which it gets 413."
  }),
  /**
   * Time a client has to send the body of a request before it gets 408. A duration from 1 milli to 65535 seconds, such
   * as "10 seconds", or a number of seconds; default: 1 minute.
   */
  httpBodyTimeout: define({
    kind: timeout,
    default: Duration.seconds(60),
    doc: "Time a client has to send the body of a request before it gets 408."
  }),
  /**
   * Time a response may make no progress before its connection is closed. A duration from 1 milli to 65535 seconds,
   * such as "10 seconds", or a number of seconds; default: 1 minute.
   */
  httpWriteTimeout: define({
    kind: timeout,
    default: Duration.seconds(60),
    doc: "Time a response may make no progress before its connection is closed."
  }),
  /**
   * Time a connection may be idle between requests; with 0 it is closed after every response. A duration from 0 seconds
   * to 65535 seconds, such as "10 seconds", or a number of seconds; default: 20 seconds.
   */
  httpKeepaliveTime: define({
    kind: Kind.duration("seconds", "0 seconds", "65535 seconds"),
    default: Duration.seconds(20),
    doc: "Time a connection may be idle between requests; with 0 it is closed after every response."
  }),
  /**
   * Requests a worker handles at once, above which they get 503; with 0 it refuses all. An integer between 0 and
   * 4294967295; default: 1000.
   */
  httpRequestLimit: define({
    kind: Kind.integer(0, 4_294_967_295),
    default: 1000,
    doc: "Requests a worker handles at once, above which they get 503; with 0 it refuses all."
  }),
  /**
   * Connections that one address may have to a worker, above which they get 429; with 0 there is no limit. An integer
   * between 0 and 4294967295; default: 0.
   */
  httpAddressLimit: define({
    kind: Kind.integer(0, 4_294_967_295),
    default: 0,
    doc: "Connections that one address may have to a worker, above which they get 429; with 0 there is no limit."
  }),
  /**
   * Requests of one address that a worker handles at once, above which they get 429; with 0 there is no limit. An
   * integer between 0 and 4294967295; default: 0.
   */
  httpAddressRequestLimit: define({
    kind: Kind.integer(0, 4_294_967_295),
    default: 0,
    doc: "Requests of one address that a worker handles at once, above which they get 429; with 0 there is no limit."
  }),
  /**
   * Value of the server header; the default tells no version, which only helps an attacker. At most 53 visible ASCII
   * characters, where none at all means no such header; default: kore-fx.
   */
  httpServerVersion: define({
    kind: Kind.text(
      /^([\x21-\x7e]([\x20-\x7e]{0,51}[\x21-\x7e])?)?$/,
      "at most 53 visible ASCII characters, where none at all means no such header"
    ),
    default: "kore-fx",
    doc: "Value of the server header; the default tells no version, which only helps an attacker."
  }),
  /**
   * Gives error responses without a body of their own a small HTML page, where the client prefers HTML. Yes or no
   * (also true or false, 1 or 0); default: no.
   */
  httpPrettyError: define({
    kind: Kind.flag,
    default: false,
    doc: "Gives error responses without a body of their own a small HTML page, where the client prefers HTML."
  }),
  /**
   * Bytes of a request's body, above which it is kept in a file; with 0 it never is. A size from 0 B to 1 PiB, such as
   * "64 KiB", or a number of bytes; default: 0 B.
   */
  httpBodyDiskOffload: define({
    kind: Kind.size("0 B", largestBody),
    default: ByteSize.zero,
    doc: "Bytes of a request's body, above which it is kept in a file; with 0 it never is."
  }),
  /** Directory for the bodies that httpBodyDiskOffload keeps in files. A path; default: tmp_files. */
  httpBodyDiskPath: define({
    kind: Kind.path,
    default: "tmp_files",
    doc: "Directory for the bodies that httpBodyDiskOffload keeps in files."
  }),
  /**
   * Time browsers shall insist on TLS (strict-transport-security), sent on TLS only; with 0 it is not sent. A duration
   * from 0 seconds to 36500 days, such as "10 seconds", or a number of seconds; default: 365 days.
   */
  httpHstsEnable: define({
    kind: Kind.duration("seconds", "0 seconds", "36500 days"),
    default: Duration.days(365),
    doc: "Time browsers shall insist on TLS (strict-transport-security), sent on TLS only; with 0 it is not sent.",
    later: "TLS"
  }),
  /**
   * Time a worker spends on requests that are ready before it looks for new events. A duration from 1 milli to 65535
   * seconds, such as "10 seconds", or a number of milliseconds; default: 10 millis.
   */
  httpRequestMs: define({
    kind: Kind.duration("milliseconds", "1 millis", "65535 seconds"),
    default: Duration.millis(10),
    doc: "Time a worker spends on requests that are ready before it looks for new events.",
    later: "request scheduling"
  }),
  /**
   * Media types of files, in addition to the common ones. Any number of values (a list, or text with commas), each a
   * media type and its file extensions, such as "text/csv csv"; default: none.
   */
  httpMediaType: define({
    kind: Kind.list(
      Kind.text(/^[^\s/]+\/[^\s/]+([ \t]+[^\s/]+)+$/, "a media type and its file extensions, such as \"text/csv csv\"")
    ),
    default: [],
    doc: "Media types of files, in addition to the common ones."
  }),
  /**
   * Extension that is tried when a file is not found. A file extension with its dot, such as ".html"; default: none.
   */
  filemapExt: define({
    kind: Kind.text(/^\.[^/\0]+$/, "a file extension with its dot, such as \".html\""),
    default: undefined,
    doc: "Extension that is tried when a file is not found."
  }),
  /** File that is sent for a directory. The name of a file; default: index.html. */
  filemapIndex: define({
    kind: Kind.text(/^[^/\0]+$/, "the name of a file"),
    default: "index.html",
    doc: "File that is sent for a directory."
  }),
  /**
   * Bytes of a WebSocket frame from a client, above which its connection is closed. A size from 1 B to 1 PiB, such as
   * "64 KiB", or a number of bytes; default: 16 KiB.
   */
  websocketMaxframe: define({
    kind: Kind.size("1 B", largestBody),
    default: ByteSize.kibibytes(16),
    doc: "Bytes of a WebSocket frame from a client, above which its connection is closed.",
    later: "WebSocket"
  }),
  /**
   * Time a WebSocket may be idle before its connection is closed. A duration from 1 milli to 65535 seconds, such as "10
   * seconds", or a number of seconds; default: 2 minutes.
   */
  websocketTimeout: define({
    kind: timeout,
    default: Duration.seconds(120),
    doc: "Time a WebSocket may be idle before its connection is closed.",
    later: "WebSocket"
  })
}
