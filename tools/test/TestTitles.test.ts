import { assert, describe, it } from "vitest"
import * as TestTitles from "../TestTitles.ts"

const has = (source: string, title: string): boolean => TestTitles.has(TestTitles.parse(source), title)

describe("a title is found", () => {
  it.each([
    ["of a plain test", "it(\"serves whoever asks\", () => {})"],
    ["of a test that is an Effect", "it.effect(\"serves whoever asks\", () => Effect.void)"],
    ["of a law", "it.effect.prop(\"serves whoever asks\", {}, () => Effect.void)"],
    ["that is joined", "it(\"serves whoever \" + \"asks\", () => {})"],
    ["with what a loop puts in", "for (const does of [\"asks\"]) it(`serves whoever ${does}`, () => {})"],
    ["of each with a name", "it.each([{ does: \"asks\" }])(\"serves whoever $does\", () => {})"],
    ["of each with a format", "it.effect.each([\"asks\"])(\"serves whoever %s\", () => Effect.void)"],
    ["that is a case's own name",
      "const cases = [[\"serves whoever asks\", 1]]; for (const [name] of cases) it(name, () => {})"],
    ["inside of describe", "describe(\"a\", () => { describe(\"b\", () => { it(\"serves whoever asks\", f) }) })"]
  ])("%s", (_, source) => assert.isTrue(has(source, "serves whoever asks")))
})

describe("a title is not found", () => {
  it.each([
    ["of another test", "it(\"serves none\", () => {})"],
    ["of which only a part is there", "it(\"serves whoever asks of them\", () => {})"],
    ["that is only said", "// it(\"serves whoever asks\")\nconst text = \"serves whoever asks\"; it(\"x\", () => {})"],
    ["that is the name of a group", "describe(\"serves whoever asks\", () => { it(\"x\", () => {}) })"],
    ["that a hole could make, had it any text of its own", "it(`${a} ${b}`, () => {})"],
    ["whose hole nothing in the file fills", "for (const does of verbs) it(`serves whoever ${does}`, () => {})"],
    ["where what is in front of the hole differs", "it(`servers whoever ${does}`, \"asks\")"],
    ["whose dots stand for dots", "it(`serv.s whoever ${does}`, \"asks\")"]
  ])("%s", (_, source) => assert.isFalse(has(source, "serves whoever asks")))
})
