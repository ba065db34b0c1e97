/**
 * The options of what workers talk to: databases and other servers.
 *
 * When to reach for it: to add or change one of these options; `Config.ts` builds everything else from the table.
 * What it is not: where a database is. That is an argument of its Layer, and may be a secret.
 */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import { define } from "./Definition.ts"
import * as Kind from "./Kind.ts"

/** The options of what workers talk to. */
export const clientOptions = {
  /** Connections of a worker to each database. An integer between 0 and 65535; default: 2. */
  pgsqlConnMax: define({
    kind: Kind.integer(0, 65_535),
    default: 2,
    doc: "Connections of a worker to each database.",
    later: "PostgreSQL"
  }),
  /**
   * Queries of a worker that may wait for a connection, above which they fail. An integer between 0 and 4294967295;
   * default: 1000.
   */
  pgsqlQueueLimit: define({
    kind: Kind.integer(0, 4_294_967_295),
    default: 1000,
    doc: "Queries of a worker that may wait for a connection, above which they fail.",
    later: "PostgreSQL"
  }),
  /**
   * Time a request to another server may take; with 0 there is no limit. A duration from 0 seconds to 65535 seconds,
   * such as "10 seconds", or a number of seconds; default: 1 minute.
   */
  curlTimeout: define({
    kind: Kind.duration("seconds", "0 seconds", "65535 seconds"),
    default: Duration.seconds(60),
    doc: "Time a request to another server may take; with 0 there is no limit.",
    later: "HTTP client"
  }),
  /**
   * Bytes of a response from another server, above which it fails. A size from 0 B to 1 PiB, such as "64 KiB", or a
   * number of bytes; default: 2 MiB.
   */
  curlRecvMax: define({
    kind: Kind.size("0 B", "1 PiB"),
    default: ByteSize.mebibytes(2),
    doc: "Bytes of a response from another server, above which it fails.",
    later: "HTTP client"
  })
}
