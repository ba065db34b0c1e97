import { spawnSync } from "node:child_process"
import { assert, describe, it } from "vitest"
import { check, checks, outdated, read, type World } from "../parity.ts"
import { overview, page } from "../ParityPages.ts"
import { parse, type Row, type Table } from "../ParityTable.ts"
import * as TestTitles from "../TestTitles.ts"
import { root } from "../tsgo.ts"

const file = "packages/core/test/Lock.test.ts"
const test = { file, name: "one at a time" }

const row: Row = {
  group: "Locks",
  name: "kore.lock()",
  where: { runtime: "§10" },
  legacy: "kore.lock()",
  effect: ["Lock.make"],
  tests: { legacy: [test], effect: [test] }
}

const table: Table = {
  file: "runtime.json",
  title: "The runtime",
  source: "Kore",
  rows: [row],
  defects: [{ where: "§10", what: "A waiter is lost.", test }],
  elsewhere: [{ issue: "4", what: "HTTP", names: ["kore.route", "domain.route"] }],
  without: [],
  own: [{ name: "run", reason: "Runs the app." }]
}

const world: World = {
  tests: new Map([[file, TestTitles.parse(`it("one at a time", () => {})`)]]),
  effect: new Set(["Lock.make"]),
  legacy: {
    exports: ["lock", "route", "run"],
    values: new Map<string, unknown>([
      ["kore.lock", () => {}],
      ["kore.lock().acquire", () => {}],
      ["kore.gather", () => {}],
      ["kore.config", {}],
      ["kore.config.root", null],
      ["kore.LOG_ERR", 3],
      ["domain.route", () => {}]
    ]),
    keywords: new Map([["kore.gather", ["concurrency"]], ["domain.route", ["auth", "auth.type"]]]),
    hooks: new Set(["koreapp.signal", "kore_worker_signal"]),
    later: new Map([["kore.config.root", "privileges"]]),
    failures: new Map([["kore.proc()", "there is no worker"]])
  }
}

const withRow = (change: Partial<Row>): Table => ({ ...table, rows: [row, { ...row, name: "x", ...change }] })

/** What the checks say about a table, in this world or another. */
const said = (table: Table, there: World = world): ReadonlyArray<string> =>
  Array.from(check([table], there), ({ message }) => message)

const refuses = (table: Table, message: RegExp, there?: World) => {
  const messages = said(table, there)
  assert.lengthOf(messages, 1)
  assert.match(messages[0]!, message)
}

describe("a table", () => {
  it("that is right in all is left alone", () => {
    assert.deepStrictEqual(said(table), [])
    assert.deepStrictEqual(said(withRow({ legacy: "kore.lock().acquire" })), [])
    assert.deepStrictEqual(said(withRow({ legacy: "kore.gather(concurrency=)" })), [])
    assert.deepStrictEqual(said(withRow({ legacy: "koreapp.signal(signo)" })), [])
    assert.deepStrictEqual(said(withRow({ legacy: "kore_worker_signal(signo)" })), [])
    assert.deepStrictEqual(said(withRow({ legacy: "kore.LOG_ERR", value: 3 })), [])
    assert.deepStrictEqual(said(withRow({ legacy: "domain.route(auth.type=)" })), [])
  })

  it("has the form of one, and nothing beside it", () => {
    const { file, ...data } = table
    assert.deepStrictEqual(parse(file, JSON.stringify(data)), table)
    assert.throws(() => parse(file, JSON.stringify({ ...data, todo: [] })), /todo/)
    assert.throws(() => parse(file, JSON.stringify({ ...data, rows: [{ ...row, tests: { legacy: [] } }] })), /legacy/)
    assert.throws(() => parse(file, JSON.stringify({ ...data, defects: [{ where: "§1", what: "No answer." }] })))
  })
})

describe("each check can fail", () => {
  it("a file of tests that is not there", () => {
    const nowhere = { file: "packages/core/test/Nowhere.test.ts", name: "x" }
    refuses(withRow({ tests: { legacy: [nowhere], effect: [test] } }), /no file of tests packages\/core\/test\/Nowhere/)
  })

  it("a test under another title, of a row and of a defect", () => {
    const other = { file, name: "one at a tim" }
    refuses(withRow({ tests: { legacy: [test], effect: [other] } }), /has no test "one at a tim": write it/)
    refuses({ ...table, defects: [{ where: "§10", what: "x", test: other }] }, /has no test "one at a tim"/)
  })

  it("a name that Effect has not, or kore-fx does not lead to", () => {
    refuses(withRow({ effect: ["Lock.mke"] }), /Lock\.mke does not exist, the index of kore-fx/)
    refuses(withRow({ effect: ["effect/Effect.lgo"] }), /Effect has no such export/)
  })

  it("a name in Effect without a test, and none without a reason", () => {
    refuses(withRow({ tests: { legacy: [test] } }), /Lock\.make has no test in tests\.effect/)
    refuses(withRow({ effect: [], tests: { legacy: [test] } }), /no name in Effect: give one/)
    refuses(withRow({ effect: [], note: "Nobody needs it." }), /no name in Effect/)
    assert.deepStrictEqual(said(withRow({ effect: [], tests: { legacy: [test] }, note: "Nobody needs it." })), [])
  })

  it("a name that kore-fx/legacy has not, with what kept it from being asked", () => {
    refuses(withRow({ legacy: "kore.lokc()" }), /has no kore\.lokc: write it, or drop the row$/)
    refuses(withRow({ legacy: "kore.lock().aquire" }), /has no kore\.lock\(\)\.aquire/)
    refuses(withRow({ legacy: "kore.proc().kill" }), /has no kore\.proc\(\)\.kill: .* \(there is no worker\)$/)
    refuses(withRow({ legacy: "kore.config.rot" }), /has no kore\.config\.rot/)
    refuses(withRow({ legacy: "the lock" }), /legacy is "the lock", expected a name such as/)
  })

  it("a function that is none", () => refuses(withRow({ legacy: "kore.config(x)" }), /is object, expected a function/))

  it("a keyword that is not taken", () => {
    refuses(withRow({ legacy: "kore.gather(limit=)" }), /no keyword limit, it has concurrency/)
    refuses(withRow({ legacy: "kore.lock(name=)" }), /no keyword name, it has none/)
    refuses(withRow({ legacy: "domain.route(auth.kind=)" }), /no keyword auth\.kind, it has auth, auth\.type/)
  })

  it("a hook that is never called", () => {
    refuses(withRow({ legacy: "koreapp.daemonized()" }), /never calls the hook koreapp\.daemonized/)
    refuses(withRow({ legacy: "kore_worker_onmsg(x)" }), /never calls the hook kore_worker_onmsg/)
  })

  it("a constant with another value, or that the row does not tell", () => {
    refuses(withRow({ legacy: "kore.LOG_ERR", value: 4 }), /kore\.LOG_ERR is 3, expected 4/)
    refuses(withRow({ legacy: "kore.LOG_ERR" }), /kore\.LOG_ERR is 3, expected a value in the row/)
  })

  it("an option that is read and not applied", () =>
    refuses(withRow({ legacy: "kore.config.root" }), /not applied, it waits for privileges: move it to elsewhere/))

  it.each(["Partial: no timeout.", "Works partly.", "TODO: the timeout.", "A timeout comes later.",
    "Not yet on macOS."])(
      "a row that says it is half there: %s",
      (note) => refuses(withRow({ note }), /its note says "/)
    )

  it("a name that stands twice", () => {
    refuses({ ...table, rows: [row, row] }, /stands twice, a row and a row/)
    refuses({ ...table, rows: [row, { ...row, name: "kore.route" }] }, /stands twice, a row and elsewhere, HTTP/)
    refuses({ ...table, without: [{ name: "kore.lock()", where: "§10", reason: "x" }] }, /a row and without/)
  })

  it("an export that no table knows, and one that is gone", () => {
    const exporting = (...exports: ReadonlyArray<string>): World => ({
      ...world,
      legacy: { ...world.legacy, exports }
    })
    refuses(table, /no table says what it is/, exporting("lock", "route", "run", "timer"))
    refuses(table, /own names it, and kore-fx\/legacy does not have it/, exporting("lock", "route"))
  })

  it("a member of what handlers get that no table knows, and one that is gone", () => {
    const having = (name: string): World => ({
      ...world,
      legacy: { ...world.legacy, values: new Map([...world.legacy.values, [name, null]]) }
    })
    refuses(table, /kore-fx\/legacy has it, and no table says what it is/, having("req.files"))
    const listed: Table = { ...table, own: [...table.own, { name: "req.files", reason: "All of them." }] }
    refuses(listed, /own names it, and kore-fx\/legacy does not have it/)
    assert.deepStrictEqual(said(listed, having("req.files")), [])
  })

  it("what one table says and another says too, or what none of them says", () => {
    const other: Table = { ...table, file: "http.json", rows: [], defects: [], elsewhere: [], own: [] }
    const messages = (...tables: ReadonlyArray<Table>) => Array.from(check(tables, world), ({ message }) => message)
    assert.deepStrictEqual(messages(table, other), [])
    assert.lengthOf(messages(table, { ...other, rows: [row] }), 1)
    assert.deepStrictEqual(messages({ ...table, elsewhere: [] }, { ...other, elsewhere: table.elsewhere }), [])
  })

  it("a test that is about another fault", () => {
    const about = { file, name: "A1, B7: one at a time" }
    const source = [test, about].map(({ name }) => `it("${name}", () => {})`).join("\n")
    const there = { ...world, tests: new Map([[file, TestTitles.parse(source)]]) }
    const where = (where: string): Table => ({
      ...table,
      defects: [{ where, what: "A waiter is lost.", test: about }]
    })
    refuses(where("§10, A2"), /its test says that it is about A1,B7: link the test that is about this/, there)
    for (const fine of ["§10, A1", "§10, A9, B7"]) assert.deepStrictEqual(said(where(fine), there), [])
  })

  it("all of them were seen", () => {
    assert.sameMembers(Object.keys(checks), [
      "tests",
      "effectNames",
      "legacyNames",
      "applied",
      "finished",
      "once",
      "exported",
      "faults"
    ])
  })
})

describe("a page", () => {
  it("has every name with its tests, and every defect with its answer", () => {
    const text = page({
      ...table,
      rows: [{ ...row, note: "Fair." }],
      defects: [...table.defects, { where: "§5", what: "a|b", reason: "Why." }, { where: "§6", what: "c", issue: "4" }]
    })
    const link = "[one at a time](../../packages/core/test/Lock.test.ts)"
    assert.include(
      text,
      `| \`kore.lock()\` | runtime §10 | \`kore.lock()\` | \`Lock.make\` | ${link}<br>${link} | Fair. |`
    )
    assert.include(text, `| §10 | A waiter is lost. | ${link} |`)
    assert.include(text, "| §5 | a\\|b | Why. |")
    assert.include(text, "| §6 | c | issue 4 |")
    assert.include(text, "| 4 | HTTP | `kore.route`, `domain.route` |")
  })

  it("leads from the overview, with its numbers", () => {
    assert.include(overview([table]), "| [The runtime](runtime.md) | 1 | 1 | 1 | 0 | 0 |")
  })

  it("is outdated when it is missing or another, and else not", () => {
    const pages = new Map([["a.md", "a"], ["b.md", "b"], ["c.md", "c"]])
    const current: Readonly<Record<string, string>> = { "a.md": "a", "b.md": "before" }
    assert.deepStrictEqual(outdated(pages, (path) => current[path]), [["b.md", "b"], ["c.md", "c"]])
  })
})

describe("the tables of this repository", () => {
  it("are right, and the pages are what they say", () => {
    const { status, stderr } = spawnSync(process.execPath, ["tools/parity.ts", "--check"], {
      cwd: root,
      encoding: "utf8"
    })
    assert.strictEqual(stderr, "")
    assert.strictEqual(status, 0)
  })

  // Taken from Kore's documentation and from sections of the specification, not from the tables.
  const kore: Readonly<Record<string, string>> = {
    "kore, index of the documentation":
      "config server domain log timer proc fatal tracer task_create task_kill gather suspend httpclient dbsetup dbquery " +
      "websocket_broadcast worker setname coroname corotrace curl",
    "kore, §5 and §10 to §17 of the runtime":
      "app time task_id fatalx shutdown sigtrap prerequest privsep lock queue socket_wrap sendobj route",
    "kore, §3 of the runtime":
      "LOG_ERR LOG_NOTICE LOG_INFO RESULT_ERROR RESULT_OK RESULT_RETRY MODULE_LOAD MODULE_UNLOAD TIMER_ONESHOT " +
      "CONN_PROTO_UNKNOWN CONN_PROTO_HTTP CONN_PROTO_WEBSOCKET CONN_STATE_ESTABLISHED HTTP_METHOD_GET HTTP_METHOD_POST " +
      "HTTP_METHOD_PUT HTTP_METHOD_DELETE HTTP_METHOD_HEAD HTTP_METHOD_OPTIONS HTTP_METHOD_PATCH WEBSOCKET_OP_TEXT " +
      "WEBSOCKET_OP_BINARY WEBSOCKET_BROADCAST_LOCAL WEBSOCKET_BROADCAST_GLOBAL CURLOPT_*",
    "koreapp, §1.3 of the runtime": "configure workerstart workerstop cleanup daemonized signal onmsg seccomp",
    ", §1.3 of the runtime":
      "kore_parent_configure kore_parent_teardown kore_worker_configure kore_worker_signal kore_worker_teardown " +
      "kore_seccomp_hook",
    "kore.config, documentation":
      "root runas workers worker_max_connections worker_rlimit_nofiles worker_accept_threshold worker_death_policy " +
      "worker_set_affinity pidfile socket_backlog tls_version tls_cipher tls_dhparam rand_file keymgr_runas keymgr_root " +
      "acme_runas acme_root acme_email acme_provider pledge seccomp_tracing filemap_ext filemap_index http_media_type " +
      "http_header_max http_header_timeout http_body_max http_body_timeout http_body_disk_offload http_body_disk_path " +
      "http_server_version http_pretty_error deployment",
    "kore.config, §4 of the runtime":
      "logfile worker_no_accept http_hsts_enable http_keepalive_time http_request_ms http_request_limit " +
      "websocket_maxframe websocket_timeout pgsql_conn_max pgsql_queue_limit task_threads curl_timeout curl_recv_max file",
    "timer, §19 of the runtime": "close",
    "lock, §19 of the runtime": "acquire release trylock",
    "queue, §19 of the runtime": "pop push popnow",
    "proc, §19 of the runtime": "recv send reap kill close_stdin pid",
    "sock, §19 of the runtime": "accept connect recv recvfrom recvmsg send sendto close",
    "httpclient, §19 of the runtime": "get head options put post patch delete",
    "curl, §19 of the runtime": "run setopt setbody",
    "http_file, §19 of the runtime": "read name filename",
    "connection, §19 of the runtime": "disconnect websocket_send fd addr x509 x509dict",
    "domain, §19 of the runtime": "route redirect filemaps accesslog",
    "req, documentation":
      "host agent path body method pgsql cookie response argument body_read file_lookup populate_get populate_post " +
      "populate_cookies populate_multipart request_header response_header websocket_handshake",
    "req, §16.1 of the runtime": "protocol body_path body_digest connection headers populate_multi",
    "filter, §17.1 of the runtime": "allow deny allow_arg deny_arg allow_flag deny_flag allow_mask deny_mask bpf_stmt",
    "socket, documentation": "socket AF_INET AF_UNIX SOCK_STREAM"
  }
  const bare = (name: string): string => name.replace(/\(.*$/, "")
  const known = new Set(read().flatMap(({ elsewhere, rows, without }) => [
    ...rows.map(({ name }) => bare(name)),
    ...elsewhere.flatMap(({ names }) => names.map(bare)),
    ...without.map(({ name }) => bare(name))
  ]))

  it.each(Object.entries(kore))("say what became of each name of %s", (source, names) => {
    const [prefix] = source.split(",")
    const missing = names.split(" ").map((name) => prefix === "" ? name : `${prefix}.${name}`)
      .filter((name) => !known.has(name))
    assert.deepStrictEqual(missing, [])
  })

  const whole = new Set(read().flatMap(({ rows }) => rows.map(({ name }) => name)))

  it("say what became of each keyword of a route", () => {
    const keywords = "methods get post put delete head patch options qs auth auth.type auth.value auth.verify " +
      "auth.redirect hooks hooks.on_headers hooks.on_body_chunk hooks.on_free"
    assert.deepStrictEqual(keywords.split(" ").filter((keyword) => !whole.has(`domain.route(${keyword}=)`)), [])
  })

  it("say what became of each fault of §22 of http", () => {
    const named = new Set(read().flatMap(({ defects }) => defects.flatMap(({ where }) => where.split(", "))))
    const faults = [
      ...Array.from({ length: 22 }, (_, index) => `A${index + 1}`),
      ...Array.from({ length: 39 }, (_, index) => `B${index + 1}`)
    ]
    assert.deepStrictEqual(faults.filter((fault) => !named.has(fault)), [])
  })

  it("say what became of `async with`, and of each exception", () => {
    assert.includeMembers([...known], ["async with lock", "GeneratorExit in a killed coroutine", "RuntimeError",
      "TimeoutError"])
  })

  it("link files that vitest runs", () => {
    const files = read().flatMap(({ defects, rows }) => [
      ...rows.flatMap(({ tests }) => [...tests.legacy, ...tests.effect ?? []]),
      ...defects.flatMap((defect) => "test" in defect ? defect.test : [])
    ]).map(({ file }) => file)
    const run = /^(packages\/[^/]+\/test|tools\/test|examples)\/.*\.test\.ts$/
    assert.deepStrictEqual(files.filter((file) => !run.test(file)), [])
  })
})
