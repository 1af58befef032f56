using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Formats;
using Evidence.Formats.Ewf;
using Evidence.Vaults;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Cli.Commands;

internal static class ExportCommand
{
    private const string Raw = "raw";
    private const string E01 = "e01";
    private const string Ewf = "ewf";
    private const string MapfileFormat = "mapfile";

    private static readonly Option<string> Format = new Option<string>("--format")
    {
        Description = "The format: raw; e01 (or ewf), for EnCase, FTK, libewf and The Sleuth Kit; or mapfile, which says for GNU ddrescue what of the image was read.",
        DefaultValueFactory = _ => Raw,
    }.AcceptOnlyFromAmong(Raw, E01, Ewf, MapfileFormat);

    private static readonly Option<string> Output = new("--output")
    {
        Description = "A file that does not exist yet, a block device, or - for standard output.",
        HelpName = "PATH",
        Required = true,
    };

    private static readonly Option<string?> Range = new("--range")
    {
        Description = "A part of the image: OFFSET+LENGTH, in bytes or with KiB, MiB, GiB.",
        HelpName = "OFFSET+LENGTH",
    };

    private static readonly Option<string?> Split = new("--split")
    {
        Description = "No file is larger than this: a number of bytes, or with KiB, MiB, GiB. Raw, the first file is named NAME.001; an E01 is split at 2 GiB unless told otherwise.",
        HelpName = "SIZE",
    };

    private static readonly Option<string?> Overwrite = new("--overwrite")
    {
        Description = "The device of --output once more, where it has partitions or a file system that may be written over.",
        HelpName = "DEVICE",
    };

    private static readonly Option<string?> Compression = new Option<string?>("--compression")
    {
        Description = "Of an E01: none; fast (deflate 1, the default); best (deflate 9, a few percent smaller at a third of the pace).",
    }.AcceptOnlyFromAmong("none", "fast", "best");

    private static readonly Option<bool> NoRecord = new("--no-record") { Description = "Write no entry into the ledger." };

    internal static Command Build()
    {
        var command = new Command(
            "export",
            """
            Hands an image out, bit for bit. Every segment is checked against its id on the way, and the whole against the image's SHA-256 where it has one.
            What was not read comes as zeros, and the exit code is then 4. An E01 calls such sectors bad, and holds MD5 and SHA-1; the SHA-256, for which it has no place,
            stands in the ledger.

            Examples:
              evidence export server-7 --output server-7.img
              evidence export server-7 --output server-7.001 --split 4GiB
              evidence export server-7 --output /dev/sdc                  over a device of at least that size, if it is empty
              evidence export server-7 --output /dev/sdc --overwrite /dev/sdc
              evidence export server-7 --output server-7.E01 --format e01 --split 4GiB
              evidence export server-7 --output server-7.map --format mapfile   what ddrescue goes on from, with server-7.img
              evidence export server-7 --output - --range 1MiB+64KiB | xxd | less
            """)
        {
            Options.Image, Format, Output, Range, Split, Compression, Overwrite, NoRecord,
        };
        Session.Bind(command, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(Session session, ParseResult parsed, CancellationToken cancellation)
    {
        (long offset, long? length) = parsed.GetValue(Range) is { } range ? Units.ParseRange(range) : ((long Offset, long? Length))(0, null);
        string output = parsed.GetValue(Output)!;
        bool toStandardOutput = output == "-";
        if (toStandardOutput && session.IsJson)
            throw new EvidenceException(ErrorCode.Usage, "Standard output cannot take both the image and --json.");
        using Vault vault = session.OpenVault();
        ImageRecord record = vault.FindImage(parsed.GetValue(Options.Image)!);
        VaultImage image = vault.OpenImage(record);
        string format = parsed.GetValue(Format)!;
        bool isE01 = format is E01 or Ewf;
        RefuseMisplaced(parsed, format, toStandardOutput);
        if (format == MapfileFormat)
            return ExportMapfile(session, record, image, output);
        if (isE01)
            return await ExportE01Async(session, parsed, vault, record, image, output, cancellation);

        RawExportResult result;
        await using (var display = new ProgressDisplay(session.IsQuiet))
        {
            ProgressDisplay.Job job = display.Add(record.Item);
            var progress = new DirectProgress<long>(done => job.Report("exporting", done, length ?? image.Size - offset));
            if (toStandardOutput)
            {
                await using Stream stream = OpenStandardOutput();
                result = await RawExport.WriteAsync(image, stream, offset, length, progress, cancellation);
            }
            else
            {
                var options = new RawExportOptions
                {
                    Offset = offset,
                    Length = length,
                    PartSize = parsed.GetValue(Split) is { } split ? ParseSplit(split) : null,
                    Overwrite = IsNamed(parsed.GetValue(Overwrite), output),
                };
                result = await RawExport.WriteAsync(image, output, options, progress, cancellation);
            }
        }

        long? entry = null;
        bool isRecorded = !parsed.GetValue(NoRecord) && vault.Ledger.IsSequencer;
        if (isRecorded)
            entry = vault.Ledger.RecordExport(record, result.HandedOut);
        if (!toStandardOutput)
            session.Answer(() => ToJson(record, result, output, entry), text => Print(text, record, result, output, entry, isRecorded));
        TellAbsent(session, result.AbsentBytes);
        return result.AbsentBytes > 0 ? ExitCode.Incomplete : ExitCode.Done;
    }

    /// <summary>An option that means nothing for a format would be passed over in silence.</summary>
    private static void RefuseMisplaced(ParseResult parsed, string format, bool toStandardOutput)
    {
        bool isE01 = format is E01 or Ewf;
        if (isE01 && toStandardOutput)
            throw new EvidenceException(ErrorCode.Usage, "An E01 is written to files: name the first, as NAME.E01.");
        if (format != Raw && parsed.GetValue(Range) is not null)
            throw new EvidenceException(ErrorCode.Usage, "--range is for raw exports: an E01, and a mapfile, are of a whole image.");
        if (parsed.GetValue(Split) is not null && (format == MapfileFormat || toStandardOutput))
            throw new EvidenceException(ErrorCode.Usage, "--split is for raw and E01 exports to files.");
        if (parsed.GetValue(Overwrite) is not null && format != Raw)
            throw new EvidenceException(ErrorCode.Usage, "--overwrite is for raw exports to a device.");
        if (!isE01 && parsed.GetValue(Compression) is not null)
            throw new EvidenceException(ErrorCode.Usage, "--compression is for E01 exports.");
    }

    private static async Task<int> ExportE01Async(
        Session session, ParseResult parsed, Vault vault, ImageRecord record, VaultImage image, string output, CancellationToken cancellation)
    {
        var options = new EwfExportOptions { Case = record.Case, Item = record.Item };
        if (parsed.GetValue(Split) is { } split)
            options = options with { SegmentSize = ParseSplit(split) };
        if (Options.ParseCompression(parsed.GetValue(Compression)) is { } compression)
            options = options with { Compression = compression };
        EwfExportResult result;
        await using (var display = new ProgressDisplay(session.IsQuiet))
        {
            ProgressDisplay.Job job = display.Add(record.Item);
            var progress = new DirectProgress<long>(done => job.Report("exporting", done, image.Size));
            result = await EwfExport.WriteAsync(image, output, options, progress, cancellation);
        }

        long? entry = null;
        bool isRecorded = !parsed.GetValue(NoRecord) && vault.Ledger.IsSequencer;
        if (isRecorded)
            entry = vault.Ledger.RecordExport(record, result.HandedOut);
        session.Answer(() => ToJson(record, result, entry), text => Print(text, record, result, entry, isRecorded));
        TellAbsent(session, result.AbsentBytes);
        return result.AbsentBytes > 0 ? ExitCode.Incomplete : ExitCode.Done;
    }

    /// <summary>Whether the device that may be written over is the one that is written to.</summary>
    private static bool IsNamed(string? overwrite, string output)
    {
        if (overwrite is null)
            return false;
        return string.Equals(Path.GetFullPath(overwrite), Path.GetFullPath(output), StringComparison.Ordinal)
            ? true
            : throw new EvidenceException(ErrorCode.Usage, $"--overwrite names {overwrite}, and --output {output}: name the same device.");
    }

    private static long ParseSplit(string text) => Units.TryParseSize(text, out long size) && size > 0
        ? size
        : throw new EvidenceException(ErrorCode.Usage, $"'{text}' is not a size. Example: 2GiB");

    private static void TellAbsent(Session session, long bytes)
    {
        if (bytes > 0 && !session.IsJson)
            Console.Error.WriteLine($"evidence: {Units.Exact(bytes)} of it were never read from the source, and are zeros that stand for nothing: 'evidence show' lists where.");
    }

    /// <summary>Hands out no content, so that the ledger has nothing to record.</summary>
    private static int ExportMapfile(Session session, ImageRecord record, VaultImage image, string output)
    {
        if (output == "-")
        {
            MapfileExport.Write(image, Console.Out);
            return ExitCode.Done;
        }

        MapfileExport.Write(image, output);
        session.Answer(
            () => new JsonObject { ["image"] = $"sha256:{record.Image}", ["item"] = record.Item, ["format"] = MapfileFormat, ["output"] = output },
            text => text.WriteLine($"Wrote what was read of {record.Item} to {output}"));
        return ExitCode.Done;
    }

    /// <summary>The console's own stream takes a reader that has gone for success, and what was not handed out would be recorded as handed out.</summary>
    private static Stream OpenStandardOutput()
    {
        var stream = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        // In a file, on the other hand, that one leaves the shared position behind what it wrote, for whoever writes next.
        return stream.CanSeek ? Console.OpenStandardOutput() : stream;
    }

    private static JsonObject ToJson(ImageRecord record, RawExportResult result, string output, long? entry) => new()
    {
        ["image"] = $"sha256:{record.Image}",
        ["format"] = "raw",
        ["offset"] = DecimalText.Format(result.Offset),
        ["length"] = DecimalText.Format(result.Length),
        ["sha256"] = result.Sha256?.ToString(),
        ["absentBytes"] = DecimalText.Format(result.AbsentBytes),
        ["holeBytes"] = DecimalText.Format(result.HoleBytes),
        ["item"] = record.Item,
        ["output"] = output,
        ["files"] = new JsonArray([.. result.Files.Select(f => (JsonNode)f)]),
        ["matches"] = result.Matches,
        ["remainingBytes"] = DecimalText.Format(result.Remaining),
        ["entry"] = entry is { } index ? DecimalText.Format(index) : null,
    };

    private static JsonObject ToJson(ImageRecord record, EwfExportResult result, long? entry) => new()
    {
        ["image"] = $"sha256:{record.Image}",
        ["format"] = E01,
        ["offset"] = "0",
        ["length"] = DecimalText.Format(result.Length),
        ["sha256"] = result.Sha256.ToString(),
        ["absentBytes"] = DecimalText.Format(result.AbsentBytes),
        ["holeBytes"] = DecimalText.Format(result.HoleBytes),
        ["item"] = record.Item,
        ["output"] = result.Files[0],
        ["files"] = new JsonArray([.. result.Files.Select(f => (JsonNode)f)]),
        ["storedBytes"] = DecimalText.Format(result.StoredBytes),
        ["sectorSize"] = result.SectorSize,
        ["padding"] = result.Padding,
        ["md5"] = result.Md5,
        ["sha1"] = result.Sha1,
        ["matches"] = result.Matches,
        ["entry"] = entry is { } index ? DecimalText.Format(index) : null,
    };

    private static void Print(TextWriter text, ImageRecord record, EwfExportResult result, long? entry, bool isRecorded)
    {
        text.WriteLine($"Exported {record.Item} to {result.Files[0]}: {Units.Exact(result.Length)} in {Units.Count(result.Files.Count)} " +
            $"{(result.Files.Count == 1 ? "file" : "files")} of {Units.Exact(result.StoredBytes)}");
        text.WriteLine($"  md5        {result.Md5}, which the E01 holds");
        text.WriteLine($"  sha1       {result.Sha1}, which the E01 holds");
        text.WriteLine($"  sha256     {result.Sha256}{(result.Matches == true ? ", as when it was imaged" : "")}; E01 has no place for it: other tools do not see it");
        if (result.Padding > 0)
            text.WriteLine($"  padding    {result.Padding} zeros behind the image fill its last sector of {result.SectorSize} bytes: MD5 and SHA-1 are over them, too, SHA-256 is not");
        if (result.HoleBytes > 0)
            text.WriteLine($"  holes      {Units.Exact(result.HoleBytes)} are zeros because the source said that nothing was there; other tools take them for read");
        PrintRecorded(text, entry, isRecorded);
    }

    private static void PrintRecorded(TextWriter text, long? entry, bool isRecorded) =>
        text.WriteLine(entry is { } index ? $"  recorded   ledger entry {index}"
            : isRecorded ? "  recorded   the entry is signed and waits in staging; what is recorded next takes it in"
            : "  recorded   not recorded in the ledger");

    private static void Print(TextWriter text, ImageRecord record, RawExportResult result, string output, long? entry, bool isRecorded)
    {
        text.WriteLine($"Exported {record.Item} to {output}: {Units.Exact(result.Length)} from offset {result.Offset}");
        if (result.Files.Count > 1)
            text.WriteLine($"  files      {Units.Count(result.Files.Count)}, to {result.Files[^1]}");
        if (result.Sha256 is { } digest)
            text.WriteLine($"  sha256     {digest}{(result.Matches == true ? ", as when it was imaged" : "")}");
        if (result.HoleBytes > 0)
            text.WriteLine($"  holes      {Units.Exact(result.HoleBytes)} are zeros because the source said that nothing was there; they were not read");
        if (result.Remaining > 0)
            text.WriteLine($"  remaining  the device's last {Units.Exact(result.Remaining)} lie behind the image and are as they were");
        PrintRecorded(text, entry, isRecorded);
    }
}
