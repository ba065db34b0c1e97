import { assert, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as nodePath from "node:path"
import * as Filemap from "../../src/Filemap.ts"
import { later, serve, tree } from "./site.ts"

// What paths to files are made of, honest or not, in several spellings.
const Piece = Schema.Literals([
  "a.txt",
  "sub",
  "b.txt",
  "%62.txt",
  "..",
  "%2e%2e",
  ".%2e",
  ".",
  "%2E",
  "",
  "%2f",
  "%5C",
  "\\",
  "%00",
  "%25",
  "+",
  "www",
  "www-private",
  "secret.txt",
  "in",
  "out",
  "outdir",
  "subdir",
  "up",
  "self",
  ".hidden",
  "%2ehidden",
  "%ff",
  "..%2f",
  "%2f..",
  "%252e%252e",
  "...",
  ";",
  "~",
  "proc",
  "etc",
  "passwd",
  "index.html",
  "con",
  "a.txt%20",
  "a.txt."
])
const Pieces = Schema.Array(Piece).check(Schema.isMinLength(1), Schema.isMaxLength(7))

// Links that are made anew for each run: name and where to.
const Link = Schema.Tuple([
  Schema.Literals(["in", "out", "outdir", "subdir", "up", "self", "sub/in", "sub/up"]),
  Schema.Literals([
    "a.txt",
    "sub",
    "sub/b.txt",
    "..",
    "../www-private",
    "../www-private/secret.txt",
    ".",
    "self",
    "out",
    "in",
    "up/www/a.txt",
    "outdir/../www/a.txt",
    "/",
    "sub/../../www-private/secret.txt",
    "../sub/b.txt",
    "subdir/b.txt"
  ])
])
const Links = Schema.Array(Link).check(Schema.isMaxLength(4))

/** What should be answered, found in another way: the whole path at once, by the system's own rules. */
const expected = (www: string, rest: string): string | undefined => {
  const names: Array<string> = []
  for (const piece of rest.split("/")) {
    let name: string
    try {
      name = decodeURIComponent(piece)
    } catch {
      return undefined
    }
    if (name === "" || name === "." || name === ".." || /[/\\\0]/.test(name)) return undefined
    if (name.startsWith(".")) return undefined
    names.push(name)
  }
  try {
    const real = fs.realpathSync(`${www}/${names.join("/")}`)
    const relative = nodePath.relative(fs.realpathSync(www), real)
    if (relative.split("/")[0] === ".." || !fs.statSync(real).isFile()) return undefined
    return fs.readFileSync(real, "utf8")
  } catch {
    return undefined
  }
}

it.live("A1: no path and no links get anything but the files below the directory, and these are sent as they are", () =>
  Effect.gen(function*() {
    const top = yield* tree({
      "www/a.txt": "a",
      "www/sub/b.txt": "b",
      "www/www/a.txt": "inner a",
      "www/.hidden": "hidden",
      "www/index.html": "index",
      "www/+": "plus",
      "www/%": "percent",
      "www/~": "tilde",
      "www-private/secret.txt": "SECRET",
      "www-private/a.txt": "SECRET",
      "secret.txt": "SECRET",
      "a.txt": "SECRET",
      "sub/b.txt": "SECRET"
    })
    const www = `${top}/www`
    const { ask, reported } = yield* serve(Filemap.routes("/", www))
    // All is kept in memory that may be, so that what is kept cannot change what is answered.
    yield* later
    let sent = 0
    const made: Array<string> = []
    const arbitrary = Arbitrary.all({ links: Arbitrary.schema(Links), pieces: Arbitrary.schema(Pieces) })
    const result = yield* Arbitrary.checkEffect(arbitrary, ({ links, pieces }) =>
      Effect.gen(function*() {
        for (const [name, target] of links) {
          const path = `${www}/${name}`
          if (made.includes(path)) continue
          fs.symlinkSync(target, path)
          made.push(path)
        }
        const rest = pieces.join("/")
        const { body, status } = yield* ask(`/${rest}`)
        const content = expected(www, rest)
        if (content !== undefined) {
          sent++
          assert.deepStrictEqual([status, body], [200, content])
        } else {
          assert.notInclude(body, "SECRET")
          // A path that means a directory gets its index, or is sent to where that is.
          const isIndex = status === 200 && body === "index" && /^$|\/$/.test(rest)
          if (!isIndex) assert.include([308, 400, 404], status)
        }
        return true
      }).pipe(
        Effect.ensuring(Effect.sync(() => {
          for (const path of made.splice(0)) fs.unlinkSync(path)
        })),
        // So that what fails is made smaller.
        Effect.catchDefect(Effect.fail)
      ), { runs: 1000 })
    assert.isUndefined(Arbitrary.formatCheckFailure(result))
    assert.isAbove(sent, 10)
    assert.deepStrictEqual(reported, [])
  }))
