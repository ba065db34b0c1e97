import { assert, describe, it } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as Config from "../src/Config.ts"
import * as Definition from "../src/config/Definition.ts"
import type * as Kind from "../src/config/Kind.ts"
import { names } from "../src/config/options.ts"

type Ordered = number | bigint | Duration.Duration

const definitionOf = (name: Config.Name): Definition.Any => Config.options[name]

const withBounds = names.flatMap((name) => {
  const bounds: Kind.Bounds<Ordered> | undefined = definitionOf(name).kind.bounds
  return bounds === undefined ? [] : [{ name, bounds }]
})

const boundsOf = (name: Config.Name): Kind.Bounds<Ordered> => withBounds.find((entry) => entry.name === name)!.bounds

// One unit beyond a value: the next integer, byte or millisecond.
const shift = (value: Ordered, by: 1 | -1): Ordered =>
  typeof value === "number"
    ? value + by
    : typeof value === "bigint"
    ? value + BigInt(by)
    : Duration.millis(Duration.toMillis(value) + by)

// A value at this fraction of the way between the bounds.
const between = ({ maximum, minimum }: Kind.Bounds<Ordered>, fraction: number): Ordered => {
  if (Duration.isDuration(minimum)) {
    const [low, high] = [Duration.toMillis(minimum), Duration.toMillis(maximum)]
    return Duration.millis(Math.round(low + (high - low) * fraction))
  }
  const value = Math.round(Number(minimum) + (Number(maximum) - Number(minimum)) * fraction)
  return typeof minimum === "bigint" ? ByteSize.bytes(value) : value
}

const accepts = (name: Config.Name, value: unknown) => Result.isSuccess(Config.decode(name, value))

const variable = (name: Config.Name) => Definition.variableName(name, definitionOf(name))

const Fraction = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
const Named = Schema.Literals(withBounds.map(({ name }) => name))

describe("laws of every option", () => {
  it.effect.each(names)("%s: its default reads back from its text, in the environment and in an app",
    (name) =>
      Effect.gen(function*() {
        const initial: unknown = definitionOf(name).default
        if (initial === undefined) return
        assert.isTrue(Equal.equals(Result.getOrThrow<unknown, unknown>(Config.decode(name, initial)), initial))
        // A list of nothing has no text of its own.
        const text = Array.isArray(initial) ? "" : Definition.formatValue(definitionOf(name), initial)
        const { config, origins } = yield* Config.resolve({ app: {}, env: { [variable(name)]: text } })
        assert.isTrue(Equal.equals(config[name], initial))
        assert.strictEqual(origins[name].source, "environment")
      }))

  it.each(withBounds)("$name: its documented bounds are allowed and nothing beyond them is", ({ bounds, name }) => {
    const documentation = Definition.documentation(definitionOf(name))
    for (const [bound, beyond] of [[bounds.minimum, -1], [bounds.maximum, 1]] as const) {
      assert.isTrue(accepts(name, bound))
      assert.isFalse(accepts(name, shift(bound, beyond)))
      const text = Definition.formatValue(definitionOf(name), bound)
      assert.isTrue(accepts(name, text))
      assert.include(documentation, text)
    }
  })

  it.effect.prop(
    "any value between the bounds reads back from its text",
    { name: Named, fraction: Fraction },
    ({ fraction, name }) =>
      Effect.sync(() => {
        const value = between(boundsOf(name), fraction)
        const text = Definition.formatValue(definitionOf(name), value)
        assert.isTrue(Equal.equals(Result.getOrThrow<unknown, unknown>(Config.decode(name, text)), value), text)
      })
  )

  it.effect.prop(
    "a value in the environment goes before one in the app, and both are what was written",
    { name: Named, app: Fraction, env: Fraction },
    ({ app, env, name }) =>
      Effect.gen(function*() {
        const [weak, strong] = [between(boundsOf(name), app), between(boundsOf(name), env)]
        const input = { [name]: weak }
        const text = Definition.formatValue(definitionOf(name), strong)
        const alone = yield* Config.resolve({ app: input, env: {} })
        const overridden = yield* Config.resolve({ app: input, env: { [variable(name)]: text } })
        assert.isTrue(Equal.equals(alone.config[name], weak))
        assert.isTrue(Equal.equals(overridden.config[name], strong))
        assert.strictEqual(alone.origins[name].source, "app")
        assert.strictEqual(overridden.origins[name].source, "environment")
      })
  )

  it.effect.prop("no input is a crash: every value of every option is read or refused", {
    name: Schema.Literals(names),
    value: Schema.Json
  }, ({ name, value }) =>
    Effect.gen(function*() {
      const error = yield* Config.resolve({ app: { [name]: value }, env: {} }).pipe(
        Effect.as(undefined),
        Effect.catchTag("ConfigError", Effect.succeed)
      )
      if (error !== undefined) assert.include(error.message, name)
    }))
})

describe("the tables", () => {
  it("every option of Kore's documentation and source is there, under its own name", () => {
    const kore = `root runas workers worker_max_connections worker_rlimit_nofiles worker_accept_threshold
      worker_death_policy worker_set_affinity worker_no_accept pidfile socket_backlog tls_version tls_cipher tls_dhparam
      rand_file keymgr_runas keymgr_root acme_runas acme_root acme_email acme_provider pledge seccomp_tracing 
      filemap_ext filemap_index http_media_type http_header_max http_header_timeout http_body_max http_body_timeout
      http_body_disk_offload http_body_disk_path http_server_version http_pretty_error http_hsts_enable
      http_keepalive_time http_request_ms http_request_limit websocket_maxframe websocket_timeout deployment logfile
      file pgsql_conn_max pgsql_queue_limit task_threads curl_timeout curl_recv_max`.split(/\s+/)
    const ours = ["http_header_count", "http_write_timeout", "http_address_limit", "http_address_request_limit",
      "shutdown_timeout", "worker_start_timeout", "worker_restart_limit", "worker_restart_period", "control_socket",
      "log_format", "log_to", "log_level", "log_socket"]
    assert.sameMembers(names.map(Config.toLegacyName), [...kore, ...ours])
  })

  it("what an editor shows for an option is what `kore-fx check` shows", () => {
    const shown = new Map<string, string>()
    for (const table of ["process", "log", "http", "tls", "client"]) {
      const source = fs.readFileSync(new URL(`../src/config/${table}.ts`, import.meta.url), "utf8")
      for (const [, comment, name] of source.matchAll(/^ {2}\/\*\*((?:(?!\*\/)[^])*)\*\/\n {2}(\w+): define\(/gm)) {
        shown.set(name!, comment!.replace(/^ +\*/gm, "").replace(/\s+/g, " ").trim())
      }
    }
    for (const name of names) assert.strictEqual(shown.get(name), Definition.documentation(definitionOf(name)))
  })

  it("these options are applied and no others", () => {
    assert.sameMembers(names.filter((name) => definitionOf(name).later === undefined), [
      "workers",
      "workerDeathPolicy",
      "pidfile",
      "controlSocket",
      "socketBacklog",
      "file",
      "logFormat",
      "logTo",
      "logLevel",
      "logSocket",
      "httpHeaderMax",
      "httpHeaderTimeout",
      "httpBodyMax",
      "httpBodyTimeout",
      "httpBodyDiskOffload",
      "httpBodyDiskPath",
      "httpKeepaliveTime",
      "httpServerVersion",
      "httpPrettyError",
      "httpRequestLimit",
      "httpWriteTimeout",
      "httpAddressLimit",
      "httpAddressRequestLimit",
      "httpHeaderCount",
      "httpMediaType",
      "filemapExt",
      "filemapIndex",
      "shutdownTimeout",
      "workerStartTimeout",
      "workerRestartLimit",
      "workerRestartPeriod"
    ])
  })
})
