import ServiceKit
import Wire

/// `/openapi.json`: the interface described by the tables that answer it. Source: the OpenAPI Specification 3.1.0.
enum OpenAPI {
    static let document: JSON = .object([
        "openapi": .string("3.1.0"),
        "info": .object([
            "title": .string("Terminal Mesh"), "version": .string(MeshVersion.current),
            "description": .string(
                "Health, terminals, positions, trades and the market of the mesh. Times are RFC 3339 in UTC; money is a "
                    + "decimal number as it arrived, and amounts of different currencies are never added. A query "
                    + "parameter that is not described is refused. Most answers carry a weak ETag."),
        ]),
        "servers": .array([.object(["url": .string("/")])]),
        "paths": .object(paths),
        "components": .object([
            "schemas": .object(Bodies.all.reduce(into: JSONObject()) { $0.append($1.0, $1.1.json) }),
            "securitySchemes": .object([
                "token": .object([
                    "type": .string("http"), "scheme": .string("bearer"),
                    "description": .string("the text of var/token; `cat $(meshctl token)` shows it"),
                ])
            ]),
        ]),
    ])

    private static var paths: JSONObject {
        var paths = JSONObject()
        for read in Operations.reads { paths.append(read.path, .object(["get": get(read)])) }
        for action in Operations.actions {
            if var known = paths[action.path]?.object {
                known.append("post", post(action))
                paths[action.path] = .object(known)
            } else {
                paths.append(action.path, .object(["post": post(action)]))
            }
        }
        return paths
    }

    private static func get(_ read: Operations.Read) -> JSON {
        let names = path(read.path)
        let isData = read.type == "application/json"
        let parameters = names.map(pathParameter) + (read.parameters + (isData ? [.format] : [])).map(\.json)
        var content: JSONObject = [read.type: .object(["schema": read.shape.json])]
        if isData { content.append("text/plain", .object(["schema": Shape.text.json])) }
        var responses: JSONObject = [
            "200": .object(["description": .string(read.summary), "content": .object(content)]),
            "304": .object(["description": .string("It is still as its ETag says.")]),
            "400": problem("A parameter is wrong; the message names it and what it may be."),
        ]
        if !names.isEmpty { responses.append("404", problem("There is none of that name.")) }
        // What it can't say now; `/health` and `/readyz` then say what is wrong in their own form.
        let failing = read.isItsOwnFailure ? Shape.any : Shape.named("Error")
        responses.append(
            "503",
            .object([
                "description": .string("It can't be said now, or is not well; try again."),
                "content": .object([
                    "application/json": .object(["schema": failing.json]),
                    "text/plain": .object(["schema": Shape.text.json]),
                ]),
            ]))
        return .object([
            "operationId": .string(identifier("get", read.path)), "summary": .string(read.summary),
            "parameters": .array(parameters), "responses": .object(responses),
        ])
    }

    private static func post(_ action: Operations.Action) -> JSON {
        let body: JSON = .object([
            "type": .string("object"),
            "required": .array(action.fields.filter(\.isRequired).map { .string($0.name) }),
            "properties": .object(action.fields.reduce(into: JSONObject()) { $0.append($1.name, $1.schema) }),
        ])
        var responses: JSONObject = [
            "200": .object([
                "description": .string("Done, or handed on; the body says what came of it."),
                "content": .object(["application/json": .object(["schema": Shape.map(.any).json])]),
            ]),
            "400": .object([
                "description": .string("It was refused; the body says why."),
                "content": .object(["application/json": .object(["schema": Shape.map(.any).json])]),
            ]),
            "404": problem("There is none of that name."),
            "401": problem("The token is missing or wrong."), "413": problem("The body is too large."),
            "408": problem("The request did not end in time."), "503": problem("Nobody could take it now."),
        ]
        if !action.conflicts.isEmpty {
            let codes = action.conflicts.joined(separator: ", ")
            responses.append("409", problem("It is over, or was denied; `error.code` is one of: \(codes)."))
        }
        return .object([
            "operationId": .string(identifier("post", action.path)), "summary": .string(action.summary),
            "security": .array([.object(["token": .array([])])]),
            "parameters": .array(path(action.path).map(pathParameter)),
            "requestBody": .object([
                "required": .bool(action.fields.contains(where: \.isRequired)),
                "content": .object(["application/json": .object(["schema": body])]),
            ]),
            "responses": .object(responses),
        ])
    }

    private static func problem(_ text: String) -> JSON {
        .object([
            "description": .string(text),
            "content": .object(["application/json": .object(["schema": Shape.named("Error").json])]),
        ])
    }

    /// The names in braces.
    private static func path(_ path: String) -> [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }

    private static func pathParameter(_ name: String) -> JSON {
        .object([
            "name": .string(name), "in": .string("path"), "required": .bool(true),
            // Dots alone would be taken for a step in the path; a line break is in no name.
            "schema": .object([
                "type": .string("string"), "minLength": .integer(1), "maxLength": .integer(Endpoint.maximumSegment),
                "pattern": .string("^[A-Za-z0-9_|:~-][A-Za-z0-9_.|:~-]*$"),
            ]),
        ])
    }

    private static func identifier(_ method: String, _ path: String) -> String {
        method + path.split { !($0.isLetter || $0.isNumber) }.map { "_" + $0 }.joined()
    }
}
