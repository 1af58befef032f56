using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Crashes;

/// <summary>
/// Acquisitions that are killed at random moments, and repeated, and killed again: what comes of them is what an unbroken run gives, to the bit.
/// </summary>
/// <remarks>With EVIDENCE_LONG=1 a hundred times, else five.</remarks>
public sealed partial class KillTests : IDisposable
{
    private const int MiB = 1 << 20;

    /// <summary>What a run keeps at once, in bytes of the source: a page of the map.</summary>
    private const int PageSize = 64 * MiB;

    private static readonly bool Long = Environment.GetEnvironmentVariable("EVIDENCE_LONG") == "1";

    private readonly EvidenceCommand evidence = new();
    private readonly Random random;
    private readonly int seed = RandomNumberGenerator.GetInt32(int.MaxValue);

    public KillTests() => random = new Random(seed);

    [Fact]
    [Trait("Requirement", "ACQ-7")]
    public void ACQ_7_a_run_killed_at_any_moment_and_repeated_gives_what_an_unbroken_one_gives()
    {
        int kills = Long ? 100 : 5;
        string disk = MakeDisk("disk.img", Long ? 512 : 320);
        string[] command = ["acquire", disk, "--item", "disk", "--digest", "sha256", "--compression", "none"];
        var watch = Stopwatch.StartNew();
        CommandResult unbroken = evidence.Json(command).Succeeds();
        TimeSpan whole = watch.Elapsed;
        int pages = (int)((new FileInfo(disk).Length + PageSize - 1) / PageSize);
        int killed = 0;
        int rounds = 0;
        int resumed = 0;
        int resumptions = 0;
        while (killed < kills)
        {
            rounds++;
            // Nothing is there already: a run that finds its segments writes no packs.
            RemoveVault();
            int inARow = random.Next(1, 5);
            for (int n = 0; n < inARow && killed < kills; n++)
                killed += Kill(command, random.Next(rounds == 1 && n == 0 ? 1 : 0, pages + 1), whole) ? 1 : 0;

            CommandResult last = evidence.Json(command).Succeeds();
            foreach (string field in (string[])["root", "size", "digests", "unreadable", "unread", "zeroBytes", "holeBytes", "segments", "differences"])
                Assert.Equal(unbroken.Image().GetProperty(field).GetRawText(), last.Image().GetProperty(field).GetRawText());
            Assert.True(last.Image().GetProperty("verified").GetBoolean());
            resumed += last.Image().GetProperty("resumedBytes").GetString() == "0" ? 0 : 1;
            resumptions += last.Image().GetProperty("runs").GetInt32() - 1;
            Assert.Equal("verified", evidence.Json("verify", "--no-record").Succeeds().Json.GetProperty("content").GetString());
            string export = evidence.PathOf("export.img");
            evidence.Json("export", last.Image().GetProperty("image").GetString()!, "--output", export, "--no-record").Succeeds();
            Peer.Compare(disk, export);
            File.Delete(export);
            if (rounds % 10 == 0)
                TestContext.Current.TestOutputHelper!.WriteLine($"{killed} of {kills} kills so far.");
        }

        TestContext.Current.TestOutputHelper!.WriteLine(
            $"seed {seed}: {killed} kills of {rounds} acquisitions, one to four of each in a row; {resumed} of the acquisitions went on where they had stopped, {resumptions} times in all. " +
            $"An unbroken one took {whole.TotalSeconds:f1} s.");
        Assert.True(Long ? resumed > rounds / 2 : resumed > 0, $"Only {resumed} of {rounds} acquisitions went on where they had stopped.");
    }

    [Fact]
    public void Whoever_is_killed_takes_no_other_process_along()
    {
        const int Processes = 3;
        string[] disks = [.. Enumerable.Range(0, Processes).Select(n => MakeDisk($"disk-{n}.img", 16))];
        int rounds = Long ? 50 : 3;
        int killed = 0;
        var watch = Stopwatch.StartNew();
        evidence.Json("acquire", disks[0], "--item", "before").Succeeds();
        TimeSpan whole = watch.Elapsed * Processes;
        for (int round = 0; round < rounds; round++)
        {
            RunningProcess[] running = [.. disks.Select((disk, n) => evidence.Start("--json", "acquire", disk, "--item", ItemOf(round, n)))];
            int victim = random.Next(Processes);
            try
            {
                TimeSpan moment = whole * random.NextDouble();
                watch.Restart();
                running[victim].WaitUntil(() => watch.Elapsed >= moment);
                if (!running[victim].HasExited)
                    running[victim].Signal("KILL");
                for (int n = 0; n < Processes; n++)
                {
                    CommandResult result = running[n].Wait();
                    if (n == victim && result.ExitCode == 137)
                        killed++;
                    else
                        result.Succeeds().Image();
                }

                evidence.Json("acquire", disks[victim], "--item", ItemOf(round, Processes)).Succeeds();
            }
            finally
            {
                foreach (RunningProcess process in running)
                    process.Dispose();
            }

            Assert.Equal("verified", evidence.Json("verify", "--no-record").Succeeds().Json.GetProperty("content").GetString());
            var items = evidence.Json("images").Succeeds().Json.GetProperty("images").EnumerateArray().Select(i => i.GetProperty("item").GetString()!).ToHashSet(StringComparer.Ordinal);
            // Of the victim's own image nobody can say.
            Assert.All(Enumerable.Range(0, Processes + 1).Where(n => n != victim), n => Assert.Contains(ItemOf(round, n), items));
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}: {killed} of {rounds} rounds lost one of {Processes} processes before it ended.");
    }

    public void Dispose() => evidence.Dispose();

    private static string ItemOf(int round, int number) => string.Create(CultureInfo.InvariantCulture, $"round-{round}-{number}");

    /// <summary>Runs the command, and kills it some random time after so many pages were kept; false where it had ended by then.</summary>
    private bool Kill(string[] command, int pages, TimeSpan whole)
    {
        int before = PagesKept();
        using RunningProcess running = evidence.Start(["--json", .. command]);
        running.WaitUntil(() => PagesKept() - before >= pages);
        TimeSpan moment = whole / 4 * random.NextDouble();
        var watch = Stopwatch.StartNew();
        running.WaitUntil(() => watch.Elapsed >= moment);
        if (!running.HasExited)
            running.Signal("KILL");
        CommandResult result = running.Wait();
        if (result.ExitCode != 137)
            result.Succeeds();
        return result.ExitCode == 137;
    }

    /// <summary>How often a journal names a page; a run that goes on names those that it has once more.</summary>
    private int PagesKept()
    {
        string resume = Path.Combine(evidence.Vault, "staging", "resume");
        try
        {
            return Directory.Exists(resume) ? Directory.GetFiles(resume, "*.journal").Sum(journal => Pages().Count(Read(journal))) : 0;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // It was removed just now.
            return int.MaxValue;
        }
    }

    private static string Read(string journal)
    {
        using var reader = new StreamReader(new FileStream(journal, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return reader.ReadToEnd();
    }

    [GeneratedRegex("\"page\"", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Pages();

    private void RemoveVault()
    {
        if (Directory.Exists(evidence.Vault))
            Directory.Delete(evidence.Vault, recursive: true);
        foreach (string draft in Directory.EnumerateDirectories(evidence.Folder, "vault.*.tmp"))
            Directory.Delete(draft, recursive: true);
    }

    /// <summary>Random bytes mostly, so that packs fill; text and zeros between.</summary>
    private string MakeDisk(string name, int mebibytes)
    {
        string disk = evidence.PathOf(name);
        using var file = new FileStream(disk, FileMode.CreateNew);
        byte[] part = new byte[4 * MiB];
        for (int at = 0; at < mebibytes / 4; at++)
        {
            if (at % 8 is not (3 or 6))
                random.NextBytes(part);
            else if (at % 8 == 3)
                Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(at * 1_000_000, part.Length / 8).Select(i => i.ToString("x7", CultureInfo.InvariantCulture) + "\n"))).CopyTo(part, 0);
            else
                Array.Clear(part);
            file.Write(part);
        }

        return disk;
    }
}
