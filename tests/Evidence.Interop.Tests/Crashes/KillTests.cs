using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Crashes;

/// <summary>
/// Acquisitions that are killed at random moments, and repeated: what comes of them is what an unbroken run gives, to the bit.
/// </summary>
/// <remarks>With EVIDENCE_LONG=1 a hundred times, else ten.</remarks>
public sealed class KillTests : IDisposable
{
    private const int MiB = 1 << 20;

    private static readonly bool Long = Environment.GetEnvironmentVariable("EVIDENCE_LONG") == "1";

    private readonly EvidenceCommand evidence = new();
    private readonly Random random;
    private readonly int seed = RandomNumberGenerator.GetInt32(int.MaxValue);

    public KillTests() => random = new Random(seed);

    [Fact]
    [Trait("Requirement", "ACQ-7")]
    public void A_run_killed_at_any_moment_and_repeated_gives_what_an_unbroken_one_gives()
    {
        string disk = MakeDisk("disk.img", 300);
        var watch = Stopwatch.StartNew();
        CommandResult unbroken = evidence.Json("acquire", disk, "--item", "disk").Succeeds();
        TimeSpan whole = watch.Elapsed;
        int kills = Long ? 100 : 10;
        int killed = 0;
        int resumed = 0;
        for (int n = 0; n < kills; n++)
        {
            // Nothing is there already: a run that finds its segments writes no packs.
            Directory.Delete(evidence.Vault, recursive: true);
            RemoveDrafts();
            using (RunningProcess running = evidence.Start("--json", "acquire", disk, "--item", "disk"))
            {
                TimeSpan moment = whole * random.NextDouble();
                watch.Restart();
                running.WaitUntil(() => watch.Elapsed >= moment);
                if (!running.HasExited)
                    running.Signal("KILL");
                killed += running.Wait().ExitCode == 137 ? 1 : 0;
            }

            CommandResult again = evidence.Json("acquire", disk, "--item", "disk").Succeeds();
            foreach (string field in (string[])["root", "size", "digests", "unreadable", "zeroBytes", "holeBytes", "segments"])
                Assert.Equal(unbroken.Image().GetProperty(field).GetRawText(), again.Image().GetProperty(field).GetRawText());
            string image = again.Image().GetProperty("image").GetString()!;
            resumed += IsResumed(again, image) ? 1 : 0;
            Assert.Equal("verified", evidence.Json("verify", "--no-record").Succeeds().Json.GetProperty("content").GetString());
            string export = evidence.PathOf("export.img");
            evidence.Json("export", image, "--output", export, "--no-record").Succeeds();
            Peer.Compare(disk, export);
            File.Delete(export);
        }

        TestContext.Current.TestOutputHelper!.WriteLine(
            $"seed {seed}: {killed} of {kills} runs were killed before they ended; {resumed} of those that repeated them went on where they had stopped.");
        Assert.True(killed >= kills / 2, $"Only {killed} of {kills} runs were killed before they ended.");
    }

    [Fact]
    public void Whoever_is_killed_takes_no_other_process_along()
    {
        const int Processes = 3;
        string[] disks = [.. Enumerable.Range(0, Processes).Select(n => MakeDisk($"disk-{n}.img", 16))];
        int rounds = Long ? 50 : 5;
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

    /// <summary>Whether the run, by its own answer, its log or its manifest, went on where another one had stopped.</summary>
    private bool IsResumed(CommandResult result, string image)
    {
        string manifest = File.ReadAllText(Path.Combine(evidence.Vault, "images", image["sha256:".Length..] + ".json"));
        return (result.Text + result.Errors + manifest).Contains("resum", StringComparison.OrdinalIgnoreCase);
    }

    private void RemoveDrafts()
    {
        foreach (string draft in Directory.EnumerateDirectories(evidence.Folder, "vault.*.tmp"))
            Directory.Delete(draft, recursive: true);
    }

    /// <summary>Random bytes, text and zeros by turns.</summary>
    private string MakeDisk(string name, int mebibytes)
    {
        string disk = evidence.PathOf(name);
        using var file = new FileStream(disk, FileMode.CreateNew);
        byte[] part = new byte[4 * MiB];
        for (int at = 0; at < mebibytes / 4; at++)
        {
            if (at % 3 == 0)
                random.NextBytes(part);
            else if (at % 3 == 1)
                Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(at * 1_000_000, part.Length / 8).Select(i => i.ToString("x7", CultureInfo.InvariantCulture) + "\n"))).CopyTo(part, 0);
            else
                Array.Clear(part);
            file.Write(part);
        }

        return disk;
    }
}
