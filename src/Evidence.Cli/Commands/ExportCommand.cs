using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Formats;
using Evidence.Vaults;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Cli.Commands;

internal static class ExportCommand
{
    private const string Raw = "raw";
    private const string MapfileFormat = "mapfile";

    private static readonly Option<string> Format = new Option<string>("--format")
    {
        Description = "The format: raw; or mapfile, which says for GNU ddrescue what of the image was read.",
        DefaultValueFactory = _ => Raw,
    }.AcceptOnlyFromAmong(Raw, MapfileFormat);

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

    private static readonly Option<bool> NoRecord = new("--no-record") { Description = "Write no entry into the ledger." };

    internal static Command Build()
    {
        var command = new Command(
            "export",
            """
            Hands an image out, bit for bit. Every segment is checked against its id on the way, and the whole against the image's SHA-256 where it has one.
            What was not read comes as zeros, and the exit code is then 4.

            Examples:
              evidence export server-7 --output server-7.img
              evidence export server-7 --output /dev/sdc                  over a device of at least that size
              evidence export server-7 --output server-7.map --format mapfile   what ddrescue goes on from, with server-7.img
              evidence export server-7 --output - --range 1MiB+64KiB | xxd | less
            """)
        {
            Options.Image, Format, Output, Range, NoRecord,
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
        if (string.Equals(parsed.GetValue(Format), MapfileFormat, StringComparison.Ordinal))
            return ExportMapfile(session, record, image, output);

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
                result = await RawExport.WriteAsync(image, output, offset, length, progress, cancellation);
            }
        }

        long? entry = null;
        bool isRecorded = !parsed.GetValue(NoRecord) && vault.Ledger.IsSequencer;
        if (isRecorded)
            entry = vault.Ledger.RecordExport(record, result.HandedOut);
        if (!toStandardOutput)
            session.Answer(() => ToJson(record, result, output, entry), text => Print(text, record, result, output, entry, isRecorded));
        if (result.AbsentBytes > 0 && !session.IsJson)
            Console.Error.WriteLine($"evidence: {Units.Exact(result.AbsentBytes)} of it were never read from the source, and are zeros that stand for nothing: 'evidence show' lists where.");
        return result.AbsentBytes > 0 ? ExitCode.Incomplete : ExitCode.Done;
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
        ["matches"] = result.Matches,
        ["remainingBytes"] = DecimalText.Format(result.Remaining),
        ["entry"] = entry is { } index ? DecimalText.Format(index) : null,
    };

    private static void Print(TextWriter text, ImageRecord record, RawExportResult result, string output, long? entry, bool isRecorded)
    {
        text.WriteLine($"Exported {record.Item} to {output}: {Units.Exact(result.Length)} from offset {result.Offset}");
        if (result.Sha256 is { } digest)
            text.WriteLine($"  sha256     {digest}{(result.Matches == true ? ", as when it was imaged" : "")}");
        if (result.HoleBytes > 0)
            text.WriteLine($"  holes      {Units.Exact(result.HoleBytes)} are zeros because the source said that nothing was there; they were not read");
        if (result.Remaining > 0)
            text.WriteLine($"  remaining  the device's last {Units.Exact(result.Remaining)} lie behind the image and are as they were");
        text.WriteLine(entry is { } index ? $"  recorded   ledger entry {index}"
            : isRecorded ? "  recorded   the entry is signed and waits in staging; what is recorded next takes it in"
            : "  recorded   not recorded in the ledger");
    }
}
