/**
 * What `node --cpu-prof` writes: where the time of a process went, by function and by owner.
 *
 * When to reach for it: `profile.ts`, and `runtime.ts --profile`.
 * What it is not: exact. Inlined functions count for the ones they were inlined into.
 */
import { mkdirSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { markdown } from "./Table.ts"

const folder = fileURLToPath(new URL("../.profiles", import.meta.url))

/** The arguments of a Node process that is to leave a profile when it ends. */
export const nodeArgs = (): ReadonlyArray<string> => {
  mkdirSync(folder, { recursive: true })
  return ["--cpu-prof", `--cpu-prof-dir=${folder}`, "--cpu-prof-interval=250"]
}

/** The profile that a process has left. Throws when there is none. */
export const fileOf = (pid: number): string => {
  const file = readdirSync(folder).find((name) => name.includes(`.${pid}.`))
  if (file === undefined) throw new Error(`process ${pid} left no profile`)
  return `${folder}/${file}`
}

interface Node {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  readonly children?: ReadonlyArray<number>
}

interface Profile {
  readonly nodes: ReadonlyArray<Node>
  readonly samples: ReadonlyArray<number>
  readonly timeDeltas: ReadonlyArray<number>
}

/** A function and its part of the busy time, from 0 to 1. */
export interface Entry {
  readonly name: string
  readonly owner: string
  /** Spent in it. */
  self: number
  /** Spent in it and in what it called. */
  total: number
}

/** Whose code a file is. */
const ownerOf = (name: string, url: string): string => {
  if (url === "") return name.startsWith("(") ? name : "built-in"
  if (url.startsWith("node:")) return "node"
  const modules = url.lastIndexOf("/node_modules/")
  if (modules >= 0) return /^(?:@[^/]+\/)?[^/]+/.exec(url.slice(modules + 14))![0]
  return /\/(packages\/[^/]+|benchmarks)\//.exec(url)?.[1] ?? "other"
}

const placeOf = (url: string): string => url.startsWith("node:") ? url : url.split("/").slice(-2).join("/")

/** The functions of a profile. The time in which the process waited is left out. */
export const read = (file: string): ReadonlyArray<Entry> => {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, "utf8")) as Profile
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const self = new Map<number, number>()
  samples.forEach((id, i) => self.set(id, (self.get(id) ?? 0) + timeDeltas[i]!))
  const entries = new Map<string, Entry>()
  let busy = 0
  const visit = (node: Node, above: ReadonlySet<string>): number => {
    const { functionName, lineNumber, url } = node.callFrame
    const isRoot = functionName === "(root)"
    const name = url === "" ? functionName : `${functionName || "(anonymous)"} ${placeOf(url)}:${lineNumber + 1}`
    const within = new Set(above).add(name)
    const own = functionName === "(idle)" || isRoot ? 0 : self.get(node.id) ?? 0
    busy += own
    let total = own
    for (const child of node.children ?? []) total += visit(byId.get(child)!, within)
    if (functionName === "(idle)" || isRoot) return total
    let entry = entries.get(name)
    if (entry === undefined) {
      entry = { name, owner: ownerOf(functionName, url), self: 0, total: 0 }
      entries.set(name, entry)
    }
    entry.self += own
    if (!above.has(name)) entry.total += total
    return total
  }
  visit(nodes[0]!, new Set())
  for (const entry of entries.values()) {
    entry.self /= busy
    entry.total /= busy
  }
  return [...entries.values()]
}

/** Profiles as text: the owners, then the functions with the most time; `cost` is what all of it together costs. */
export const report = (
  entries: ReadonlyArray<Entry>,
  { cost, digits, top, unit }: {
    readonly cost: number
    readonly unit: string
    readonly digits: number
    readonly top: number
  }
): string => {
  const figures = (part: number) => [(part * cost).toFixed(digits), `${(part * 100).toFixed(1)} %`]
  const functions = (key: "self" | "total", of: ReadonlyArray<Entry>): string =>
    markdown(
      ["function", `${key} ${unit}`, ""],
      of.toSorted((a, b) => b[key] - a[key]).slice(0, top).map((entry) => [entry.name, ...figures(entry[key])])
    )
  const owners = new Map<string, number>()
  for (const { owner, self } of entries) owners.set(owner, (owners.get(owner) ?? 0) + self)
  const byOwner = [...owners].toSorted(([, a], [, b]) => b - a).map(([owner, self]) => [owner, ...figures(self)])
  const ours = entries.filter(({ owner }) => owner.startsWith("packages/"))
  return [
    markdown(["owner", `self ${unit}`, ""], byOwner),
    `Most time in themselves:\n\n${functions("self", entries)}`,
    `Ours, with what they call:\n\n${functions("total", ours)}`
  ].join("\n\n")
}
