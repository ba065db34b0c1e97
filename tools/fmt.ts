/**
 * Formats TypeScript files with dprint's WebAssembly plugin: all of them, or those named; `--check` only tells which are
 * not formatted.
 *
 * The options are those of `dprint.json`, which editors with a dprint extension read too. The plugin comes from npm and
 * runs in Node, so that no binary has to exist for a platform.
 */
import { createFromBuffer } from "@dprint/formatter"
import { getPath } from "@dprint/typescript"
import { readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { filesOf } from "./house-rules.ts"
import { root } from "./tsgo.ts"

const { lineWidth, newLineKind, indentWidth, typescript } = JSON.parse(readFileSync(join(root, "dprint.json"), "utf8"))
const formatter = createFromBuffer(readFileSync(getPath()))
formatter.setConfig({ lineWidth, newLineKind, indentWidth }, typescript)
const unknown = formatter.getConfigDiagnostics()
if (unknown.length > 0) throw new Error(`dprint.json: ${JSON.stringify(unknown)}`)

/** How a file should look. */
export const format = (filePath: string, fileText: string): string => formatter.formatText({ filePath, fileText })

if (import.meta.main) {
  const isCheck = process.argv.includes("--check")
  const named = process.argv.slice(2).filter((argument) => !argument.startsWith("--"))
  const files = filesOf(root).filter(({ path }) =>
    path.endsWith(".ts") && (named.length === 0 || named.some((name) => resolve(name) === join(root, path)))
  )
  const changed = files.flatMap(({ path, text }) => {
    const formatted = format(path, text)
    if (formatted === text) return []
    if (!isCheck) writeFileSync(join(root, path), formatted)
    return path
  })
  for (const path of changed) console.log(path)
  console.log(`${files.length} files, ${changed.length} ${isCheck ? "not formatted: run pnpm fmt" : "formatted"}`)
  process.exitCode = isCheck && changed.length > 0 ? 1 : 0
}
