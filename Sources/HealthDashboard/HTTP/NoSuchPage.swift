/// What an address below `/dashboard` answers that shows nothing: a page of its own, with the way back.
enum NoSuchPage {
    static let answer = Answer(status: 404, contentType: "text/html; charset=utf-8", body: Array(text.utf8))

    private static let text = """
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark"><title>No such page - Terminal Mesh</title>
        <link rel="icon" href="data:,"><link rel="stylesheet" href="/assets/dashboard.css"></head>
        <body><main id="main"><section class="card"><h1>There is no such page</h1>
        <p>The overview is <a href="/dashboard">/dashboard</a>; one thing stands under
        /dashboard/terminal, user, position, fire, symbol, service or alert, and its id.</p></section></main></body>
        </html>

        """
}
