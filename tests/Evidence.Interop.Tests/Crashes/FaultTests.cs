using System.Collections.Concurrent;
using System.Globalization;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Crashes;

/// <summary>
/// Every system call with which the command changes files or takes locks fails once, and at each the process is killed once. Whatever happens, the vault is sound,
/// what was acknowledged is there, the error names the file, and the same command, run again, does what it was asked to do.
/// </summary>
/// <remarks>
/// With EVIDENCE_LONG=1 every occurrence of every call in every command, with every fault; else every call site, by one of its occurrences and one fault.
/// </remarks>
public sealed class FaultTests
{
    private static readonly bool Long = Environment.GetEnvironmentVariable("EVIDENCE_LONG") == "1";

    /// <summary>The commands, and whether there is a vault with an image in it already.</summary>
    private static readonly (string Command, bool WithVault)[] Commands =
    [
        ("acquire first.img --item new", false),
        ("acquire second.img --item new", true),
        ("acquire second.img first.img --item new --item other", true),
        ("export first --output export.img", true),
        ("note text --item first", true),
        ("document add second.img first.img", true),
        ("verify", true),
        ("init", false),
    ];

    [Fact]
    [Trait("Requirement", "ACQ-6")]
    [Trait("Requirement", "ACQ-7")]
    public async Task A_call_that_fails_or_never_returns_costs_nothing_that_was_acknowledged()
    {
        Experiment[] chosen = Choose();
        var work = new ConcurrentQueue<Experiment>(chosen);
        var wrong = new ConcurrentQueue<string>();
        var missed = new ConcurrentQueue<string>();
        ITestOutputHelper output = TestContext.Current.TestOutputHelper!;
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Run(async () =>
        {
            using var slot = new Slot();
            while (wrong.Count < 200 && work.TryDequeue(out Experiment? next))
            {
                int left = work.Count;
                if (left > 0 && left % 100 == 0)
                    output.WriteLine($"{chosen.Length - left} of {chosen.Length} faults so far, {wrong.Count} complaints.");
                try
                {
                    if (await TryAsync(slot, next) is not { } complaints)
                        missed.Enqueue(next.ToString());
                    else
                        complaints.ForEach(complaint => wrong.Enqueue($"{next}: {complaint}"));
                }
                catch (Exception e)
                {
                    wrong.Enqueue($"{next}: {e}");
                }
            }
        })));
        output.WriteLine(
            $"{chosen.Select(e => e.Site).Distinct(StringComparer.Ordinal).Count()} call sites in {Commands.Length} commands: {chosen.Length - missed.Count} of {chosen.Length} faults injected.");
        Assert.True(wrong.IsEmpty, $"{wrong.Count} complaints:\n{string.Join('\n', wrong)}");
        // Threads take turns, so that a call may come less often than when it was counted; but not many.
        Assert.True(missed.Count <= chosen.Length / 20, $"{missed.Count} faults were never met:\n{string.Join('\n', missed)}");
    }

    /// <summary>Runs a command with one fault; null where the call never came.</summary>
    private static async Task<List<string>?> TryAsync(Slot slot, Experiment experiment)
    {
        string[] arguments = experiment.Command.Split(' ');
        int seen = 0;
        bool injected = false;
        slot.Begin(experiment.WithVault);
        CommandResult result = SystemCallTracer.Run(slot.Evidence.StartInfo(["--json", .. arguments]), slot.Evidence.Folder, call =>
        {
            if (!call.IsWriteSide || call.Site != experiment.Site || ++seen != experiment.Occurrence)
                return Fault.None;
            injected = true;
            return experiment.Fault;
        });
        return injected ? await new Aftermath(slot, arguments, experiment.WithVault).CheckAsync(result, experiment.Fault) : null;
    }

    private static Experiment[] Choose()
    {
        using var slot = new Slot();
        var chosen = new List<Experiment>();
        var met = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string command, bool withVault) in Commands)
        {
            var calls = new List<SystemCall>();
            slot.Begin(withVault);
            SystemCallTracer.Run(slot.Evidence.StartInfo(["--json", .. command.Split(' ')]), slot.Evidence.Folder, _ => Fault.None, calls.Add).Succeeds();
            foreach (IGrouping<string, SystemCall> site in calls.Where(c => c.IsWriteSide).GroupBy(c => c.Site, StringComparer.Ordinal))
            {
                bool takesRoom = site.First().Name is not ("flock" or "fchmod" or "unlink" or "rmdir");
                Fault[] faults = [Fault.InputOutput, .. takesRoom ? (Fault[])[Fault.NoSpace] : [], Fault.Kill];
                int turn = met.Count;
                if (Long)
                {
                    chosen.AddRange(Enumerable.Range(1, site.Count()).SelectMany(n => faults.Select(fault => new Experiment(command, withVault, site.Key, n, fault))));
                }
                else if (met.Add(site.Key))
                {
                    chosen.Add(new Experiment(command, withVault, site.Key, 1 + (turn % site.Count()), faults[turn % faults.Length]));
                }
            }
        }

        return [.. chosen];
    }

    /// <summary>A command, and the call of it that meets a fault.</summary>
    private sealed record Experiment(string Command, bool WithVault, string Site, int Occurrence, Fault Fault)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Command}: {Fault} at {Site}, occurrence {Occurrence}");
    }
}
