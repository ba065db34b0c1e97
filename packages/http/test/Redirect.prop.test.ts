/** What becomes of a target when clients choose what is put into it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Redirect from "../src/Redirect.ts"
import { parse } from "../src/redirect/Target.ts"
import { isFieldValue } from "../src/transport/Syntax.ts"

const Nasty = Schema.Array(Schema.Union([
  Schema.Literals(["/", "//", "\\", "evil.test", "@", ":", "?", "#", "%2F", "%5c", "\t", "\r\n", "..", "http:", ".",
    "é"]),
  Schema.String
]))

const Target = Schema.Literals([
  "$1",
  "/$1",
  "/a/$1",
  "/$1/$2",
  "$1$2",
  "$qs",
  "/?$qs",
  "/?next=$1&$qs",
  "https://good.test$1",
  "https://good.test/$1",
  "https://good.test$1$2",
  "https://good.test?$qs",
  "https://good.test$qs",
  "//good.test/$1?$qs"
])

describe("a redirect", () => {
  it.effect.prop("goes to no host that the programmer did not write, and to one line, whatever is put in", {
    target: Target,
    one: Nasty,
    two: Nasty,
    query: Nasty,
    isDecoded: Schema.Boolean
  }, ({ isDecoded, one, query, target, two }) =>
    Effect.sync(() => {
      const write = parse("a redirect", target, { count: 2, names: [], isDecoded: () => isDecoded })
      const values = [one.join("").toWellFormed(), two.join("").toWellFormed()]
      const location = write((key) => values[Number(key) - 1], query.join(""))
      assert.isTrue(isFieldValue(location), location)
      const { host } = new URL(location, "https://own.test/some/page")
      assert.strictEqual(host, target.includes("good.test") ? "good.test" : "own.test", location)
    }), { arbitrary: { runs: 500 } })

  it("refuses a status, a target and captures that make no redirect, and names them", () => {
    assert.throws(() => Redirect.route("/a", 200, "/b"), RangeError, /Redirect\.route\(\/a.*status is 200.*300 to 399/)
    assert.throws(() => Redirect.route("/a", 301.5, "/b"), RangeError)
    assert.throws(() => Redirect.route(/^\/(.)$/, 301, "/$2"), RangeError, /\$2.*captures of the pattern are 1/)
    assert.throws(() => Redirect.route("/:id", 301, "/$<name>"), RangeError, /\$<name>.*1, \$<id>/)
    for (const target of ["", "b", "https://$1.test/", "https:$1", "//$1", "https:/$1", "$", "javascript:alert($1)"]) {
      assert.throws(() => Redirect.route(/^\/(.*)$/, 301, target), TypeError, /expected a path/, target)
    }
  })
})
