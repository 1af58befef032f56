using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Files;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class FilesCommand
{
    private static readonly Option<string?> Extract = new("--extract")
    {
        Description = "A file's path as it is listed, or its id, PARTITION:INODE.",
        HelpName = "PATH",
    };

    private static readonly Option<string?> Output = new("--output")
    {
        Description = "Where the file goes: a new folder, which gets its content, ranges.json, and the proofs.",
        HelpName = "DIR",
    };

    internal static Command Build()
    {
        var command = new Command(
            "files",
            """
            Lists the files in an image, deleted ones too, or gives one back to whom it belongs: its content, the ranges of the image that it comes from, and proofs of those, which anybody
            can check without the vault. The Sleuth Kit (package sleuthkit) reads the file systems, over a mount of this command's own. Both are entries of the ledger.

            Examples:
              evidence files server-7
              evidence files server-7 --extract home/anna/thesis.odt --output thesis
              evidence files server-7 --extract 1:4711 --output deleted-file
              evidence check thesis/*.proof --policy policy
            """)
        {
            Options.Image, Extract, Output, ReadingOptions.NoRecord,
        };
        Session.Bind(command, (session, parsed, cancellation) => Task.FromResult(Run(session, parsed, cancellation)));
        return command;
    }

    private static int Run(Session session, ParseResult parsed, CancellationToken cancellation)
    {
        string? name = parsed.GetValue(Extract);
        string? output = parsed.GetValue(Output);
        if (name is null != output is null)
            throw new EvidenceException(ErrorCode.Usage, "A file goes somewhere: name it with --extract, and a new folder with --output.");
        using Vault vault = session.OpenVault();
        ImageRecord record = vault.FindImage(parsed.GetValue(Options.Image)!);
        bool isIncomplete = vault.OpenImage(record).Manifest.Absent.Count > 0;
        using ImageFiles files = ImageFiles.Open(vault, record);
        if (name is not null)
            return Return(session, parsed, vault, record, files, (name, output!), cancellation);

        long? entry = ReadingOptions.Record(vault, parsed, record, new OpenedTo("files", null, AbsentBytes.Zero));
        var listed = new JsonArray();
        var text = new SafeWriter(Console.Out);
        foreach (ImageFile file in files.List(cancellation))
        {
            if (session.IsJson)
                listed.Add((JsonNode)ToJson(file));
            else
                text.WriteLine($"{file.Id,-14} {(file.IsDeleted ? "deleted" : ""),-7} {(file.IsFolder ? "folder" : Units.Count(file.Length)),16}  {file.Path}");
        }

        if (session.IsJson)
        {
            session.Answer(
                () => new JsonObject { ["image"] = $"sha256:{record.Image}", ["item"] = record.Item, ["files"] = listed, ["entry"] = entry is { } index ? DecimalText.Format(index) : null },
                _ => { });
        }
        else if (isIncomplete)
        {
            Console.Error.WriteLine("evidence: Parts of the image were never read from the source. Files that the list lacks, or that are wrong in it, may be there: 'evidence show' lists what is absent.");
        }

        return isIncomplete ? ExitCode.Incomplete : ExitCode.Done;
    }

    private static int Return(Session session, ParseResult parsed, Vault vault, ImageRecord record, ImageFiles files, (string File, string Folder) names, CancellationToken cancellation)
    {
        (ImageFile file, ImageFile? table) = files.Find(names.File, cancellation);
        ReturnedFile returned = files.Return(file, table, names.Folder, cancellation);
        long? entry = !parsed.GetValue(ReadingOptions.NoRecord) && vault.Ledger.IsSequencer ? vault.Ledger.RecordFile(record, file.Length, returned.Sha256, returned.Record) : null;
        string derivation = ReturnedFile.NameOf(returned.Derivation);
        session.Answer(
            () =>
            {
                JsonObject json = ToJson(file);
                json["image"] = $"sha256:{record.Image}";
                json["output"] = names.Folder;
                json["sha256"] = returned.Sha256.ToString();
                json["derivation"] = derivation;
                json["ranges"] = returned.Ranges.Count;
                json["proofs"] = new JsonArray([.. returned.Proofs.Select(proof => (JsonNode)proof)]);
                json["record"] = returned.Record.ToString();
                json["entry"] = entry is { } index ? DecimalText.Format(index) : null;
                return json;
            },
            text =>
            {
                text.WriteLine($"{file.Path}: {Units.Exact(file.Length)} in {names.Folder}/content");
                text.WriteLine($"  sha256  {returned.Sha256}");
                text.WriteLine($"  from    ranges of the image: {Units.Count(returned.Ranges.Count)} ({derivation}), listed in ranges.json; proofs of them: {Units.Count(returned.Proofs.Count)}");
                if (file.IsDeleted)
                    text.WriteLine("  It was deleted: what lay there when the image was taken may since have been written over by another file.");
                if (entry is { } index)
                    text.WriteLine($"  Ledger entry {Units.Count(index)} says so");
            });
        return ExitCode.Done;
    }

    private static JsonObject ToJson(ImageFile file) => new()
    {
        ["id"] = file.Id,
        ["path"] = file.Path,
        ["fileSystem"] = file.FileSystem,
        ["volume"] = DecimalText.Format(file.Volume),
        ["length"] = DecimalText.Format(file.Length),
        ["deleted"] = file.IsDeleted,
        ["folder"] = file.IsFolder,
    };
}
