/**
 * The place of a syntax error that Node.js does not tell.
 *
 * For modules that V8 refuses, the exception has no place: Node.js prints it only when nobody catches the exception. So
 * the import is repeated under V8's inspector, which names the file, and the file is given to `node --check`, which
 * names the line. Nothing runs: a module graph that cannot be parsed is never evaluated.
 *
 * When to reach for it: after an import failed with a SyntaxError without a place.
 * What it is not: cheap.
 */
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as inspector from "node:inspector"
import { stripTypeScriptTypes } from "node:module"
import { fileURLToPath } from "node:url"
import { type Place, placeInHead, read } from "./source.ts"

/** Finds it for the module at `url` and its imports; undefined when it cannot be found. */
export const findSyntaxError = (url: string): Effect.Effect<Place | undefined> =>
  Effect.map(culprit(url), (file) => file === undefined ? undefined : check(file))

const culprit = (url: string): Effect.Effect<string | undefined> =>
  Effect.scoped(Effect.gen(function*() {
    const session = yield* Effect.acquireRelease(
      Effect.sync(() => new inspector.Session()),
      (session) => Effect.sync(() => session.disconnect())
    )
    let last: string | undefined
    session.connect()
    session.on("Debugger.scriptFailedToParse", ({ params }) => {
      if (params.isModule === true && params.url.startsWith("file:")) last = params.url
    })
    session.post("Debugger.enable")
    yield* Effect.ignore(Effect.tryPromise(() => import(url)))
    return last === undefined ? undefined : fileURLToPath(last)
  }))

const check = (file: string): Place | undefined => {
  const text = read(file)
  if (text === undefined) return undefined
  // Types become spaces: what is left stays in its place.
  const input = /\.[mc]?ts$/.test(file) ? withoutWarnings(() => stripTypeScriptTypes(text)) : text
  const { stderr } = ChildProcess.spawnSync(process.execPath, ["--check", "--input-type=module", "-"], {
    input,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" }
  })
  const place = placeInHead(stderr, () => input)
  return place === undefined ? undefined : { ...place, file }
}

// Node.js calls this use of its API experimental on standard error; nobody who reads an error asked for that.
const withoutWarnings = <A>(f: () => A): A => {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = () => {}
  try {
    return f()
  } finally {
    process.emitWarning = emitWarning
  }
}
