import { assert, it } from "@effect/vitest"
import { Response, Route, Router } from "@kore-fx/http"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Segment = Schema.Literals(["a", "b", ":x", ":y"])
const Pattern = Schema.Struct({
  method: Schema.Literals(["GET", "POST"]),
  segments: Schema.Array(Segment).check(Schema.isMinLength(1), Schema.isMaxLength(4)),
  rest: Schema.Boolean
})
const Patterns = Schema.Array(Pattern).check(Schema.isMaxLength(8))
const Words = Schema.Array(Schema.Literals(["a", "b", "c", ""])).check(Schema.isMinLength(1), Schema.isMaxLength(5))

interface Model {
  readonly path: string
  readonly method: string
  readonly segments: ReadonlyArray<string>
}

const shape = (segments: ReadonlyArray<string>) =>
  segments.map((s) => s.startsWith(":") || s.startsWith("*") ? s[0] : s)

// Distinct names in a pattern and no two patterns of one method and shape: what the router accepts.
const accepted = (patterns: ReadonlyArray<typeof Pattern.Type>): ReadonlyArray<Model> => {
  const seen = new Set<string>()
  const out: Array<Model> = []
  for (const { method, rest, segments } of patterns) {
    const all = rest ? [...segments, "*rest"] : segments
    const names = all.filter((s) => s.startsWith(":"))
    const key = `${method} ${shape(all).join("/")}`
    if (new Set(names).size < names.length || seen.has(key)) continue
    seen.add(key)
    out.push({ method, segments: all, path: `/${all.join("/")}` })
  }
  return out
}

const matches = (segments: ReadonlyArray<string>, words: ReadonlyArray<string>): boolean => {
  const [first, ...others] = segments
  if (first === undefined) return words.length === 0
  if (first.startsWith("*")) return words.length > 0
  if (words.length === 0) return false
  return (first.startsWith(":") ? words[0] !== "" : first === words[0]) && matches(others, words.slice(1))
}

const rank = (segment: string | undefined) =>
  segment === undefined ? 3 : segment.startsWith("*") ? 2 : segment.startsWith(":") ? 1 : 0

const moreSpecific = (a: Model, b: Model): number => {
  for (let i = 0; i < Math.max(a.segments.length, b.segments.length); i++) {
    const difference = rank(a.segments[i]) - rank(b.segments[i])
    if (difference !== 0) return difference
  }
  return 0
}

it.effect.prop(
  "the router answers with the most specific of the patterns that match, in any order of declaration",
  { patterns: Patterns, words: Words },
  ({ patterns, words }) =>
    Effect.gen(function*() {
      const models = accepted(patterns)
      const path = `/${words.join("/")}`
      const candidates = models.filter((m) => m.method === "GET" && matches(m.segments, words)).sort(moreSpecific)
      const others = models.some((m) => matches(m.segments, words))
      for (const order of [models, models.toReversed()]) {
        const routes = order.map((m) => ({
          route: Route.on(m.method)(m.path as Route.Path, () => Effect.succeed(Response.empty())),
          target: m.path
        }))
        const result = (yield* Router.make("*", routes)).find("GET", path)
        if (candidates.length > 0) assert.deepInclude(result, { _tag: "Found", target: candidates[0]!.path })
        else assert.strictEqual(result._tag, others ? "NotAllowed" : "NotFound")
      }
    }),
  { arbitrary: { runs: 1000 } }
)
