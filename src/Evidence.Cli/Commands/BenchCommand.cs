using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Acquisition;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Measurement;
using Evidence.Sources;

namespace Evidence.Cli.Commands;

internal static class BenchCommand
{
    private static readonly Argument<string?> SourceArgument = new("SOURCE")
    {
        Description = "A device or image file: its beginning is imaged, too. It is only read.",
        Arity = ArgumentArity.ZeroOrOne,
        Validators = { Options.RefuseUnknownOptions },
    };

    private static readonly Option<int> Disks = new("--disks")
    {
        Description = "How many made-up disks are imaged at once: 16 unless told otherwise.",
        HelpName = "N",
        DefaultValueFactory = _ => Acquirer.DefaultSideBySide,
        CustomParser = r => Options.Count(r, 1),
    };

    private static readonly Option<string> DiskSize = new("--disk-size")
    {
        Description = "How much is imaged of each: 128MiB unless told otherwise. Three quarters of it are stored.",
        HelpName = "SIZE",
        DefaultValueFactory = _ => "128MiB",
    };

    private static readonly Option<string?> Folder = new("--folder")
    {
        Description = "Where the vaults are made that are imaged into, and removed from: a folder on the medium that vaults shall lie on. Without it: the system's folder for temporary files.",
        HelpName = "DIR",
    };

    private static readonly Option<string> DiskSpeed = new("--disk-speed")
    {
        Description = "What one of your disks gives in a second: 200MB unless told otherwise.",
        HelpName = "SIZE",
        DefaultValueFactory = _ => "200MB",
    };

    private static readonly Option<long?> Servers = new("--servers")
    {
        Description = "How many servers there are to image, with --size and --days.",
        HelpName = "N",
        CustomParser = r => Options.Count(r, 1),
    };

    private static readonly Option<string?> ServerSize = new("--size") { Description = "What the disks of one server hold together, as 500GB, 2TB or 1TiB.", HelpName = "SIZE" };

    private static readonly Option<int?> Days = new("--days")
    {
        Description = "How many days there are.",
        HelpName = "N",
        CustomParser = r => Options.Count(r, 1),
    };

    private static readonly Option<bool> NoVerify = new("--no-verify") { Description = "Leave out reading back, as in 'evidence acquire --no-verify'." };

    internal static Command Build()
    {
        var command = new Command(
            "bench",
            """
            Measures what this machine can do: each digest of one message and of many side by side, cutting, compressing, and whole acquisitions of one disk and
            of many at once; and from that, with how many disks at once it keeps up, and how many such machines a fleet of servers needs. The made-up disks
            are half noise, a quarter log text, a quarter zeros. Other work on the machine makes it slower: measure when it has none.

            Examples:
              evidence bench
              evidence bench --folder /srv/vaults --disk-speed 160MB
              evidence bench /dev/sdb --folder /srv/vaults
              evidence bench --servers 630 --size 2TB --days 30
              evidence --json bench --compression none
            """)
        {
            SourceArgument, Disks, DiskSize, Folder, DiskSpeed, Servers, ServerSize, Days, Options.Compression, NoVerify,
        };
        Session.Bind(command, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(Session session, ParseResult parsed, CancellationToken cancellation)
    {
        double diskSpeed = SizeOf(parsed.GetValue(DiskSpeed)!, "--disk-speed");
        Func<MachineSpeed, FleetPlan?> plan = Plan(parsed);
        using Source? source = parsed.GetValue(SourceArgument) is { } path ? Source.Open(path) : null;
        var options = new BenchmarkOptions
        {
            Source = source,
            Disks = parsed.GetValue(Disks),
            DiskSize = SizeOf(parsed.GetValue(DiskSize)!, "--disk-size"),
            Folder = parsed.GetValue(Folder),
            Acquisition = new AcquisitionOptions { Compression = Options.CompressionOf(parsed), SkipReadBack = parsed.GetValue(NoVerify) },
        };
        if (options.Folder is { } folder && !Directory.Exists(folder))
            throw new EvidenceException(ErrorCode.Usage, $"There is no folder {folder} to make vaults in.");
        MachineSpeed speed = await MachineBenchmark.RunAsync(options, new DirectProgress<string>(next => Tell(session, next)), cancellation);
        session.Answer(() => ToJson(speed, options, diskSpeed, plan(speed)), text => Print(text, speed, options, diskSpeed, parsed, plan(speed)));
        return ExitCode.Done;
    }

    private static void Tell(Session session, string next)
    {
        if (!session.IsQuiet)
            Console.Error.WriteLine($"measuring {SafeWriter.Shown(next)}");
    }

    /// <summary>What the options ask for a plan; nothing where none of them is there.</summary>
    private static Func<MachineSpeed, FleetPlan?> Plan(ParseResult parsed) => (parsed.GetValue(Servers), parsed.GetValue(ServerSize), parsed.GetValue(Days)) switch
    {
        (null, null, null) => _ => null,
        ({ } servers, { } text, { } days) when SizeOf(text, "--size") is var size => speed => new FleetPlan(speed.Throughput, servers, size, TimeSpan.FromDays(days)),
        _ => throw new EvidenceException(ErrorCode.Usage, "A plan needs all three: --servers N --size SIZE --days N."),
    };

    private static long SizeOf(string text, string option) => Units.TryParseDiskSize(text, out long bytes) && bytes > 0
        ? bytes
        : throw new EvidenceException(ErrorCode.Usage, $"'{text}' is no size for {option}: write it as 200MB, 128MiB or 2TB.");

    private static JsonObject ToJson(MachineSpeed speed, BenchmarkOptions options, double diskSpeed, FleetPlan? plan)
    {
        var json = new JsonObject
        {
            ["processors"] = speed.Processors,
            ["vectorBits"] = speed.VectorBits,
            ["digests"] = new JsonArray([.. speed.Digests.Select(d => new JsonObject
            {
                ["digest"] = d.Algorithm.Name(),
                ["alone"] = Rounded(d.Alone),
                ["lanes"] = d.Lanes,
                ["together"] = d.Together is { } together ? Rounded(together) : null,
            })]),
            ["segmenter"] = Rounded(speed.Segmenter),
            ["compressions"] = new JsonArray([.. speed.Compressions.Select(c => new JsonObject
            {
                ["compression"] = NameOf(c),
                ["rate"] = Rounded(c.Rate),
                ["ratio"] = Math.Round(c.Ratio, 3),
            })]),
            ["acquisitions"] = new JsonArray([.. speed.Acquisitions.Select(a => new JsonObject
            {
                ["source"] = a.Source,
                ["disks"] = a.Disks,
                ["bytes"] = DecimalText.Format(a.Bytes),
                ["seconds"] = Math.Round(a.Elapsed.TotalSeconds, 3),
                ["rate"] = Rounded(a.Rate),
            })]),
            ["readBack"] = !options.Acquisition.SkipReadBack,
            ["disksAtOnce"] = FleetPlan.DisksAtOnce(speed.Throughput, diskSpeed),
        };
        if (plan is not null)
        {
            json["plan"] = new JsonObject
            {
                ["bytes"] = Rounded(plan.Bytes),
                ["neededRate"] = Rounded(plan.NeededRate),
                ["oneMachineSeconds"] = Rounded(plan.OneMachine),
                ["machines"] = plan.Machines,
            };
        }

        return json;
    }

    private static void Print(TextWriter text, MachineSpeed speed, BenchmarkOptions options, double diskSpeed, ParseResult parsed, FleetPlan? plan)
    {
        text.WriteLine($"{Count(speed.Processors, "processor")}, {(speed.VectorBits > 32 ? $"vectors of {speed.VectorBits} bits" : "no vectors")}");
        text.WriteLine();
        TextTable.Print(
            text, ["on one processor", "one message", "many at once", ""],
            [
                .. speed.Digests.Select(d => (IReadOnlyList<string>)
                [
                    d.Algorithm.Name(), Rate(d.Alone), d.Together is { } together ? Rate(together) : "-", d.Lanes is { } lanes ? $"{lanes} side by side" : "",
                ]),
                ["cutting", Rate(speed.Segmenter), "", ""],
                .. speed.Compressions.Select(c => (IReadOnlyList<string>)
                [
                    $"compression {NameOf(c)}", Rate(c.Rate), "", string.Create(CultureInfo.InvariantCulture, $"log text, to {100 * c.Ratio:0} % of its length"),
                ]),
            ]);
        text.WriteLine();
        TextTable.Print(
            text, ["on all processors", "rate", ""],
            speed.Acquisitions.Select(a => (IReadOnlyList<string>)
            [
                a.Source is null ? $"imaging {Count(a.Disks, "disk")}{(a.Disks > 1 ? " at once" : "")}" : $"imaging {a.Source}",
                Rate(a.Rate), $"{Units.Size(a.Bytes)} in {Units.Seconds(a.Elapsed)}{(options.Acquisition.SkipReadBack ? "" : ", read back")}",
            ]));
        text.WriteLine();
        text.WriteLine($"At {Rate(diskSpeed)} from each it keeps up with {Count(FleetPlan.DisksAtOnce(speed.Throughput, diskSpeed), "disk")} at once.");
        if (plan is not null)
        {
            text.WriteLine($"{Count(parsed.GetValue(Servers)!.Value, "server")} of {parsed.GetValue(ServerSize)} in {Count(parsed.GetValue(Days)!.Value, "day")}: " +
                $"{Rate(plan.NeededRate)} day and night, {Count(plan.Machines, "machine")} like this one. One alone needs {DaysOf(plan.OneMachine)}.");
        }
    }

    private static string NameOf(CompressionSpeed speed) => speed.Compression == Segments.Compression.Fast ? "fast" : "best";

    private static double Rounded(double value) => Math.Round(value);

    private static string Rate(double bytesPerSecond) => bytesPerSecond >= 1e9
        ? string.Create(CultureInfo.InvariantCulture, $"{bytesPerSecond / 1e9:0.00} GB/s")
        : string.Create(CultureInfo.InvariantCulture, $"{bytesPerSecond / 1e6:0} MB/s");

    private static string Count(long number, string thing) => $"{Units.Count(number)} {thing}{(number == 1 ? "" : "s")}";

    private static string DaysOf(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds / 86400:#,0.0} days");
}
