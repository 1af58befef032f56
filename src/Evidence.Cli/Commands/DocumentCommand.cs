using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class DocumentCommand
{
    internal static Command Build() => new(
        "document",
        """
        Keeps documents in the vault: orders, letters, copies of notices and what shows that they arrived. Entries name them by their SHA-256; 'evidence verify' recomputes
        them, and 'evidence replicate' copies them.

        Examples:
          evidence document add order.pdf
          evidence document export sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 --output order.pdf
          evidence document list
        """)
    {
        Add(),
        Export(),
        List(),
    };

    private static Command Add()
    {
        var files = new Argument<string[]>("FILE") { Description = "The files.", Arity = ArgumentArity.OneOrMore };
        var command = new Command(
            "add",
            """
            Adds files, each of at most 1 GiB, and prints their SHA-256. One that is there already is not added twice; a damaged one in its place is set aside.

            Example:
              evidence document add order.pdf envelope.jpg
            """)
        {
            files,
        };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            var added = new List<(string File, Sha256Digest Document)>();
            foreach (string file in parsed.GetValue(files)!)
            {
                cancellation.ThrowIfCancellationRequested();
                added.Add((file, vault.Documents.AddFile(file)));
            }

            session.Answer(
                () => new JsonObject { ["documents"] = new JsonArray([.. added.Select(a => new JsonObject { ["file"] = a.File, ["document"] = $"sha256:{a.Document}" })]) },
                text => added.ForEach(a => text.WriteLine($"sha256:{a.Document}  {a.File}")));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Export()
    {
        var name = new Argument<string>("DOCUMENT") { Description = "The document's SHA-256, with 'sha256:' before it or without." };
        var output = new Option<string>("--output") { Description = "The file to write, which does not exist yet; - for standard output.", HelpName = "FILE", Required = true };
        var command = new Command(
            "export",
            """
            Writes a document to a file, after all of it was read and found to be what its digest says.

            Example:
              evidence document export sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 --output order.pdf
            """)
        {
            name, output,
        };
        Session.Bind(command, async (session, parsed, cancellation) =>
        {
            string text = parsed.GetValue(name)!;
            string path = parsed.GetValue(output)!;
            if (!Sha256Digest.TryParse(text.StartsWith("sha256:", StringComparison.Ordinal) ? text["sha256:".Length..] : text, out Sha256Digest document))
                throw new EvidenceException(ErrorCode.Usage, $"'{text}' is no document's name: sha256: and 64 hexadecimal digits.");
            using Vault vault = session.OpenVault();
            await using Stream content = vault.Documents.Open(document);
            if (path == "-")
            {
                await using Stream standard = Console.OpenStandardOutput();
                await content.CopyToAsync(standard, cancellation);
                return ExitCode.Done;
            }

            if (Path.Exists(path))
                throw new EvidenceException(ErrorCode.DestinationInvalid, $"There is a file {path} already.");
            await using (var file = new FileStream(path, FileMode.CreateNew))
                await content.CopyToAsync(file, cancellation);
            session.Answer(
                () => new JsonObject { ["document"] = $"sha256:{document}", ["output"] = path },
                lines => lines.WriteLine($"Wrote sha256:{document} to {path}."));
            return ExitCode.Done;
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command(
            "list",
            """
            Shows the documents that are in the vault. 'evidence log' shows which entries name them, 'evidence verify' whether they are what they are called.

            Example:
              evidence document list
            """);
        Session.Bind(command, (session, _, _) =>
        {
            using Vault vault = session.OpenVault();
            IReadOnlyList<Sha256Digest> documents = vault.Documents.List();
            session.Answer(
                () => new JsonObject { ["documents"] = new JsonArray([.. documents.Select(d => (JsonNode)$"sha256:{d}")]) },
                text =>
                {
                    foreach (Sha256Digest document in documents)
                        text.WriteLine($"sha256:{document}");
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }
}
