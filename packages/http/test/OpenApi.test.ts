import { assert, describe, it } from "@effect/vitest"
import * as HttpError from "@kore-fx/http/HttpError"
import * as Multipart from "@kore-fx/http/Multipart"
import * as OpenApi from "@kore-fx/http/OpenApi"
import * as Response from "@kore-fx/http/Response"
import * as Route from "@kore-fx/http/Route"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { violations } from "./OpenApiRules.ts"

class User extends Schema.Class<User>("User")({ id: Schema.Int, name: Schema.NonEmptyString, born: Schema.Date }) {}

class UserNotFound extends HttpError.TaggedError<UserNotFound>()("UserNotFound", { id: Schema.Int }, {
  httpStatus: 404
}) {}
class UserGone extends HttpError.TaggedError<UserGone>()("UserGone", {}, { httpStatus: 404 }) {}
class Down extends HttpError.TaggedError<Down>()("Down", { host: Schema.String }, { httpStatus: 503 }) {}

const ok = () => Effect.succeed(Response.text("ok"))
const info = { title: "Test", version: "1.0.0" }

const routes = [
  Route.get("/users/:id", {
    path: { id: Schema.Int },
    success: User,
    errors: [UserNotFound, UserGone, Down],
    summary: "One user",
    description: "By *id*.",
    tags: ["users"]
  }, () => new UserNotFound({ id: 1 })),
  Route.put("/users/:name", { body: User, success: Schema.Array(User), status: 202 }, () => Effect.succeed([])),
  Route.get("/search", {
    query: {
      q: Schema.String,
      page: Schema.optionalKey(Schema.Int),
      tag: Schema.optional(Schema.Array(Schema.String)),
      since: Schema.Date,
      exact: Schema.Boolean
    },
    headers: { "x-token": Schema.BigInt },
    cookies: { theme: Schema.Literals(["dark", "light"]) }
  }, ok),
  Route.post("/order", { form: { count: Schema.Int, note: Schema.optionalKey(Schema.String) } }, ok),
  Route.post("/album", {
    multipart: { title: Schema.String, cover: Multipart.File, photos: Schema.optionalKey(Multipart.Files) }
  }, ok),
  Route.get("/files/*rest", ok),
  Route.on("GET", "HEAD")("/", ok),
  Route.on("REPORT")("/", ok),
  Route.match(/^\/x$/, [], ok)
]

const document = OpenApi.make(routes, info)

const operation = (path: string, method: "get" | "put" | "post"): OpenApi.Operation => {
  const found = document.paths[path]?.[method]
  assert.isDefined(found)
  return found
}

const schemaOf = (path: string, name: string): unknown =>
  operation(path, "get").parameters?.find((parameter) => parameter.name === name)?.schema

const problem = { $ref: "#/components/schemas/Problem" }

describe("the OpenAPI document of routes", () => {
  it("keeps the rules of OpenAPI 3.1, and is plain JSON", () => {
    assert.deepStrictEqual(violations(document), [])
    assert.deepStrictEqual(JSON.parse(JSON.stringify(document)), document)
  })

  it("has the paths in the order of the routes; of one shape they are one, by the names of the first", () => {
    assert.deepStrictEqual(
      Object.entries(document.paths).map(([path, item]) => [path, Object.keys(item)]),
      [
        ["/users/{id}", ["get", "put"]],
        ["/search", ["get"]],
        ["/order", ["post"]],
        ["/album", ["post"]],
        ["/files/{rest}", ["get"]],
        ["/", ["get", "x-oai-additionalOperations"]]
      ]
    )
    assert.deepStrictEqual(operation("/users/{id}", "put").parameters, [
      { name: "id", in: "path", required: true, schema: { type: "string" } }
    ])
  })

  it("shows inputs as clients write them, not as handlers get them", () => {
    const integer = { type: "integer" }
    assert.deepStrictEqual(operation("/search", "get").parameters?.map(({ schema, ...parameter }) => parameter), [
      { name: "q", in: "query", required: true },
      { name: "page", in: "query", required: false },
      { name: "tag", in: "query", required: false },
      { name: "since", in: "query", required: true },
      { name: "exact", in: "query", required: true },
      { name: "x-token", in: "header", required: true },
      { name: "theme", in: "cookie", required: true }
    ])
    assert.deepStrictEqual(schemaOf("/users/{id}", "id"), integer)
    assert.deepStrictEqual(schemaOf("/search", "page"), integer)
    assert.deepStrictEqual(schemaOf("/search", "tag"), { type: "array", items: { type: "string" } })
    assert.deepStrictEqual(schemaOf("/search", "since"), { type: "string" })
    assert.deepStrictEqual(schemaOf("/search", "exact"), { type: "boolean" })
    assert.deepStrictEqual(schemaOf("/search", "x-token"), { type: "string", pattern: "^-?\\d+$" })
    assert.deepStrictEqual(schemaOf("/search", "theme"), { type: "string", enum: ["dark", "light"] })
  })

  it("has bodies by their media types; files are binary", () => {
    assert.deepStrictEqual(operation("/users/{id}", "put").requestBody, {
      required: true,
      content: { "application/json": { schema: { $ref: "#/components/schemas/User" } } }
    })
    const form = operation("/order", "post").requestBody?.content["application/x-www-form-urlencoded"]?.schema
    assert.deepStrictEqual(form?.["required"], ["count"])
    const file = { type: "string", format: "binary", contentMediaType: "application/octet-stream" }
    assert.deepStrictEqual(operation("/album", "post").requestBody?.content["multipart/form-data"]?.schema, {
      type: "object",
      properties: { title: { type: "string" }, cover: file, photos: { type: "array", items: file } },
      required: ["title", "cover"]
    })
  })

  it("has the value with its status, and 400, 413 and 415 where they can happen", () => {
    const statuses = (path: string, method: "get" | "put" | "post") => Object.keys(operation(path, method).responses)
    assert.deepStrictEqual(statuses("/users/{id}", "put"), ["202", "400", "413", "415"])
    assert.deepStrictEqual(statuses("/search", "get"), ["400", "default"])
    assert.deepStrictEqual(statuses("/", "get"), ["default"])
    assert.deepStrictEqual(operation("/users/{id}", "put").responses["202"], {
      description: "Accepted",
      content: { "application/json": { schema: { type: "array", items: { $ref: "#/components/schemas/User" } } } }
    })
  })

  it("has declared errors as problem details with their fields; those of one status together, of faults no fields", () => {
    const { responses } = operation("/users/{id}", "get")
    const content = (status: number) => responses[status]?.content?.["application/problem+json"]?.schema
    const error = (name: string) => ({ allOf: [problem, { $ref: `#/components/schemas/${name}` }] })
    assert.deepStrictEqual(content(404), { anyOf: [error("UserNotFound"), error("UserGone")] })
    assert.deepStrictEqual(content(503), problem)
    assert.deepInclude(document.components.schemas["UserNotFound"], { required: ["_tag", "id"] })
    assert.notProperty(document.components.schemas, "Down")
  })

  it("has components by identifier, sorted; a class has its own name", () => {
    assert.deepStrictEqual(Object.keys(document.components.schemas), [
      "InvalidInput",
      "Problem",
      "User",
      "UserGone",
      "UserNotFound"
    ])
    assert.deepStrictEqual((document.components.schemas["User"] as any).properties.born, { type: "string" })
  })

  it("keeps apart different Schemas of one name, and a program's own Problem from that of the platform", () => {
    const Problem = Schema.Struct({ text: Schema.String }).annotate({ identifier: "Problem" })
    const made = OpenApi.make([
      Route.post("/a", { body: Problem }, ok),
      Route.post("/b", {
        body: Schema.Struct({ n: Schema.Int }).annotate({ identifier: "UserEncoded" }),
        success: User
      }, () => Effect.die("never"))
    ], info)
    assert.deepStrictEqual(violations(made), [])
    const contents = JSON.stringify(made)
    const body = (path: string) => {
      const { schema } = made.paths[path]!.post!.requestBody!.content["application/json"]!
      return made.components.schemas[(schema["$ref"] as string).split("/").at(-1)!] as any
    }
    assert.property(body("/a").properties, "text")
    assert.property(body("/b").properties, "n")
    assert.include(contents, "Problem details (RFC 9457).")
  })

  it("names operations by method and path, each differently", () => {
    const many = OpenApi.make([
      Route.get("/a/b", ok),
      Route.get("/a-b", ok),
      Route.del("/users/:id/posts/:post", ok),
      Route.get("/", ok)
    ], info)
    assert.deepStrictEqual(
      Object.values(many.paths).map((item) => (item.get ?? item.delete)?.operationId),
      ["getAB", "getAB2", "deleteUsersByIdPostsByPost", "getRoot"]
    )
  })

  it("shows summary, description and tags, and tags of the API first", () => {
    assert.deepInclude(operation("/users/{id}", "get"), {
      operationId: "getUsersById",
      summary: "One user",
      description: "By *id*.",
      tags: ["users"]
    })
    const tagged = OpenApi.make(routes, {
      ...info,
      servers: [{ url: "https://example.com" }],
      tags: [{ name: "all", description: "everything" }]
    })
    assert.deepStrictEqual(tagged.tags, [{ name: "all", description: "everything" }, { name: "users" }])
    assert.deepStrictEqual(tagged.servers, [{ url: "https://example.com" }])
    assert.deepStrictEqual(tagged.info, info)
  })

  it("has the paths of routes below a prefix, and keeps braces of a path apart from parameters", () => {
    const made = OpenApi.make(Route.prefix("/api", [Route.get("/a{b}/:id", ok)]), info)
    assert.deepStrictEqual(Object.keys(made.paths), ["/api/a%7Bb%7D/{id}"])
    assert.deepStrictEqual(violations(made), [])
  })

  it("refuses routes that answer the same requests, and prefers one segment to all that is left", () => {
    assert.throws(() => OpenApi.make([Route.get("/a/:x", ok), Route.get("/a/:y", ok)], info), TypeError, "GET /a/:y")
    const one = Route.get("/a/:x", { summary: "one" }, ok)
    const all = Route.get("/a/*rest", { summary: "all" }, ok)
    for (const both of [[one, all], [all, one]]) {
      const made = OpenApi.make(both, info)
      assert.deepStrictEqual(Object.values(made.paths).map((item) => item.get?.summary), ["one"])
      assert.deepStrictEqual(violations(made), [])
    }
  })
})

describe("the rules that documents are checked by", () => {
  it("see what is wrong", () => {
    const broken = {
      openapi: "3.1.0",
      info: { title: "x" },
      paths: {
        "a": {},
        "/b/{c}": { get: { operationId: "x", responses: {} }, put: { operationId: "x", responses: { default: {} } } }
      },
      components: { schemas: { "a b": { type: "int", items: { $ref: "#/components/schemas/None" } } } }
    }
    const found = violations(broken).join("\n")
    for (
      const text of ["info.version", "paths.a", "no response", "operationId x twice", "{c}", "description", "a b",
        "int", "None"]
    ) {
      assert.include(found, text)
    }
  })
})
