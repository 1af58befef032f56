using System.Collections.Concurrent;
using System.Diagnostics;
using Evidence.Acquisition;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Sources;
using Evidence.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Interop.Tests.Crashes;

/// <summary>
/// The power is cut between any two system calls of an acquisition, and of what was not flushed by then up to two steps are lost or torn, or all of them are
/// lost. Whatever is left, the vault is sound, what was acknowledged is there, and the next acquisition works.
/// </summary>
/// <remarks>With EVIDENCE_LONG=1 also any three steps, every call to kill at, and thousands of the states that come of it, evenly taken from all; else some of them.</remarks>
public sealed class PowerCutTests : IDisposable
{
    private const int InCi = 60;
    private const int InCampaign = 6000;

    private static readonly bool Long = Environment.GetEnvironmentVariable("EVIDENCE_LONG") == "1";

    // Flushes cost nothing there, and are not what is tested here.
    private static readonly string Memory = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();

    // What was imaged is still there after the power cut.
    private readonly ConcurrentBag<Slot> slots = [];

    public void Dispose()
    {
        foreach (Slot slot in slots)
            slot.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Requirement", "OUT-6")]
    [Trait("Requirement", "ACQ-7")]
    public async Task What_a_power_cut_leaves_is_sound(bool withVault)
    {
        Slot slot = NewSlot();
        ModelFileSystem model = Record(slot, withVault);
        var chosen = new Chosen();
        chosen.AddAll(model, slot, withVault, first: 0, damages: Long ? 3 : 2);
        await TryAsync(chosen, $"{model.Moments} moments");
    }

    /// <summary>
    /// A run is killed between giving a name and flushing it, somebody verifies, the run is repeated, and then the power is cut: what counts on a name that it
    /// finds there must flush it.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Requirement", "ACQ-7")]
    public async Task What_a_power_cut_leaves_of_a_repeated_run_is_sound(bool withVault)
    {
        int[] kills = [.. KillPoints(withVault)];
        // To make a vault takes many; in CI, some of them.
        int stride = Long ? 1 : withVault ? 2 : 6;
        kills = [.. kills.Where((_, number) => number % stride == 0)];
        var chosen = new Chosen();
        var recorded = new ConcurrentQueue<(ModelFileSystem Model, Slot Slot, int Killed)>();
        var turns = new ConcurrentQueue<int>(kills);
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Run(() =>
        {
            Slot slot = NewSlot();
            while (turns.TryDequeue(out int kill))
            {
                if (RecordRepeated(slot, withVault, kill) is var (model, killed))
                    recorded.Enqueue((model, slot, killed));
            }
        })));
        foreach ((ModelFileSystem model, Slot slot, int killed) in recorded)
            chosen.AddAll(model, slot, withVault, killed, damages: Long ? 2 : 1);
        await TryAsync(chosen, $"{kills.Length} kills");
    }

    /// <summary>The test of the test: an acquisition that flushes nothing is found out.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Requirement", "OUT-6")]
    public async Task Without_its_flushes_it_would_not_be(bool withVault)
    {
        Slot slot = NewSlot();
        ModelFileSystem model = Record(slot, withVault, call => call.Name != "fsync");
        string place = Path.Combine(Memory, $"evidence-power-{Environment.ProcessId}-{withVault}-unflushed");
        int wrong = 0;
        foreach ((int step, Damage damage) in model.Uncertain(model.Moments - 1))
        {
            Directory.CreateDirectory(place);
            try
            {
                ModelState state = model.At(model.Moments - 1, (step, damage));
                state.Materialise(place);
                wrong += (await CheckAsync(place, new Case("", slot.Evidence.PathOf("first.img"), withVault, state))).Count > 0 ? 1 : 0;
            }
            catch (Exception e) when (e is EvidenceException or FormatException)
            {
                wrong++;
            }
            finally
            {
                Directory.Delete(place, recursive: true);
            }
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{wrong} single damages would have been fatal.");
        Assert.True(wrong >= 15, $"Only {wrong} single damages were found out.");
    }

    private Slot NewSlot()
    {
        var slot = new Slot();
        slots.Add(slot);
        return slot;
    }

    private static ModelFileSystem Record(Slot slot, bool withVault, Func<SystemCall, bool>? isTaken = null)
    {
        slot.Begin(withVault);
        var model = new ModelFileSystem(slot.Evidence.Folder, IsModelled);
        SystemCallTracer.Run(
            Acquire(slot), slot.Evidence.Folder, _ => Fault.None, call =>
            {
                if (isTaken?.Invoke(call) != false)
                    model.Add(call);
            }).Succeeds();
        Assert.True(model.IsAcknowledged, "The command's answer was not seen.");
        return model;
    }

    /// <summary>The calls at which a name has been given or taken and is not flushed: those that open a folder to flush it.</summary>
    private static IEnumerable<int> KillPoints(bool withVault)
    {
        var calls = new List<SystemCall>();
        using var slot = new Slot();
        slot.Begin(withVault);
        SystemCallTracer.Run(Acquire(slot), slot.Evidence.Folder, _ => Fault.None, calls.Add).Succeeds();
        SystemCall[] writing = [.. calls.Where(c => c.IsWriteSide)];
        for (int number = 1; number < writing.Length; number++)
        {
            bool flushesName = writing[number].Name == "open" && (writing[number].Number & SystemCall.Directory) != 0 && writing[number - 1].Name is "mkdir" or "rename" or "unlink";
            if (Long || (flushesName && (writing[number].Path.Split('/')[0] is "vault" or "home" or "")))
                yield return number;
        }
    }

    private static ProcessStartInfo Acquire(Slot slot) => slot.Evidence.StartInfo("--json", "acquire", slot.Evidence.PathOf("first.img"), "--item", "new");

    /// <summary>A run that is killed, and the same again; null where it had answered before, and nothing but its tidying up was cut short.</summary>
    private static (ModelFileSystem Model, int Killed)? RecordRepeated(Slot slot, bool withVault, int kill)
    {
        slot.Begin(withVault);
        var model = new ModelFileSystem(slot.Evidence.Folder, IsModelled);
        int number = 0;
        SystemCallTracer.Run(Acquire(slot), slot.Evidence.Folder, call => call.IsWriteSide && number++ == kill ? Fault.Kill : Fault.None, model.Add);
        if (model.IsAcknowledged)
            return null;
        int killed = model.Moments - 1;
        if (Vault.Exists(slot.Evidence.Vault))
            SystemCallTracer.Run(slot.Evidence.StartInfo("--json", "verify", "--no-record"), slot.Evidence.Folder, _ => Fault.None, call => model.Add(call, isAnswer: false)).Succeeds();
        SystemCallTracer.Run(Acquire(slot), slot.Evidence.Folder, _ => Fault.None, model.Add).Succeeds();
        return (model, killed);
    }

    /// <summary>The vault, also while it is made beside its place; the keys; and the folder that both are in.</summary>
    private static bool IsModelled(string name) =>
        name.Length == 0 || name.Split('/')[0] is "vault" or "home" || (name.StartsWith("vault.", StringComparison.Ordinal) && !name.StartsWith("vault.kept", StringComparison.Ordinal));

    private static async Task TryAsync(Chosen chosen, string what)
    {
        List<Case> states = chosen.Take();
        var work = new ConcurrentQueue<Case>(states);
        var wrong = new ConcurrentQueue<string>();
        int without = 0;
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Run(async () =>
        {
            while (wrong.Count < 40 && work.TryDequeue(out Case? next))
            {
                string place = Directory.CreateDirectory(Path.Combine(Memory, "evidence-power-" + Path.GetRandomFileName())).FullName;
                int left = work.Count;
                if (left > 0 && left % 500 == 0)
                    TestContext.Current.TestOutputHelper!.WriteLine($"{what}: {states.Count - left} of {states.Count} states so far, {wrong.Count} complaints.");
                try
                {
                    next.State.Materialise(place);
                    if (!Vault.Exists(Path.Combine(place, "vault")))
                        Interlocked.Increment(ref without);
                    foreach (string complaint in await CheckAsync(place, next))
                        wrong.Enqueue($"{next.What}: {complaint}");
                }
                catch (Exception e)
                {
                    wrong.Enqueue($"{next.What}: {e}");
                }
                finally
                {
                    Directory.Delete(place, recursive: true);
                }
            }
        })));
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{what}, {chosen.Combinations} combinations of damage; {states.Count} of {chosen.Different} different states tried, {without} of them without a vault.");
        Assert.True(wrong.IsEmpty, $"{wrong.Count} of {states.Count} states:\n{string.Join('\n', wrong)}");
    }

    /// <summary>The states to be tried. Those that are alike are tried once.</summary>
    private sealed class Chosen
    {
        private readonly HashSet<string> seen = new(StringComparer.Ordinal);
        private readonly List<Case> always = [];
        private readonly List<Case> others = [];

        internal long Combinations { get; private set; }

        internal int Different => always.Count + others.Count;

        internal List<Case> Take() => [.. Some(always), .. Some(others)];

        /// <summary>Takes in every moment from the first on, with up to so many steps damaged, or everything lost that is not durable.</summary>
        internal void AddAll(ModelFileSystem model, Slot slot, bool withVault, int first, int damages)
        {
            for (int moment = first; moment < model.Moments; moment++)
            {
                (int Step, Damage Damage)[] uncertain = [.. model.Uncertain(moment)];
                Add(always, model, slot, withVault, moment, [.. uncertain.Where(d => d.Damage == Damage.Lost)]);
                AddEach(model, slot, withVault, moment, uncertain, 0, [], damages);
            }
        }

        private void AddEach(
            ModelFileSystem model, Slot slot, bool withVault, int moment, (int Step, Damage Damage)[] uncertain, int from, (int Step, Damage Damage)[] damages, int more)
        {
            Add(others, model, slot, withVault, moment, damages);
            for (int next = from; more > 0 && next < uncertain.Length; next++)
            {
                if (damages.Length == 0 || damages[^1].Step != uncertain[next].Step)
                    AddEach(model, slot, withVault, moment, uncertain, next + 1, [.. damages, uncertain[next]], more - 1);
            }
        }

        private void Add(
            List<Case> to, ModelFileSystem model, Slot slot, bool withVault, int moment, (int Step, Damage Damage)[] damages)
        {
            Combinations++;
            ModelState state = model.At(moment, damages);
            if (seen.Add(state.Key))
                to.Add(new Case(model.Describe(moment, damages), slot.Evidence.PathOf("first.img"), withVault, state));
        }

        private static IEnumerable<Case> Some(List<Case> all) => all.Where((_, number) => number % Math.Max(1, all.Count / (Long ? InCampaign : InCi)) == 0);
    }

    /// <summary>What a power cut left.</summary>
    /// <param name="What">How it came about.</param>
    /// <param name="Source">What was being imaged.</param>
    /// <param name="WithVault">Whether there was a vault with an image in it before.</param>
    /// <param name="State">What is there.</param>
    private sealed record Case(string What, string Source, bool WithVault, ModelState State);

    private static async Task<List<string>> CheckAsync(string place, Case left)
    {
        var complaints = new List<string>();
        string folder = Path.Combine(place, "vault");
        var keys = new KeyStore(Path.Combine(place, "home"));
        var access = new VaultAccess { Keys = keys, Actor = Slot.Actor };
        Rewrite(place, folder);
        bool isAcknowledged = left.State.IsAcknowledged;
        string[] expected = [.. left.WithVault ? (string[])["first"] : [], .. isAcknowledged ? (string[])["new"] : []];
        if (Vault.Exists(folder))
        {
            await VerifyAsync("after it", expected);
            using Vault vault = Vault.Open(folder, access);
            if (!vault.Ledger.IsSequencer)
                complaints.Add("the log's keys are gone");
        }
        else if (left.WithVault || isAcknowledged || Directory.Exists(folder))
        {
            complaints.Add("there is no vault");
        }

        if (complaints.Count > 0)
            return complaints;
        using (Vault vault = Vault.OpenOrCreate(folder, access))
        {
            // The same again, which goes on from what the journal has; then something else.
            HashSet<Sha256Digest> before = [.. vault.Images().Select(i => i.Image)];
            using Source source = Source.Open(left.Source);
            AcquisitionResult again = await new Acquirer(vault).AcquireAsync(source, new AcquisitionOptions { Item = "new" });
            if (isAcknowledged && before.Contains(again.Image))
                complaints.Add("whoever had the answer, and gave the same command later, got the old image for a new one");
            AcquisitionResult other = await new Acquirer(vault).AcquireAsync(
                new StreamSource(new MemoryStream(Slot.Second), "memory"), new AcquisitionOptions { Item = "next", SkipReadBack = true });
            if (again.Entry is null || other.Entry is null)
                complaints.Add("the next acquisition's entry is not in the ledger");
            int made = vault.Images().Count(i => !before.Contains(i.Image));
            if (made > 2)
                complaints.Add($"two acquisitions made {made} images");
            if (Directory.GetFiles(Path.Combine(folder, "staging", "resume"), "*.journal").Length > 0)
                complaints.Add("a journal is left of acquisitions that ended");
        }

        await VerifyAsync("after the next acquisitions", [.. expected, "new", "next"]);
        return complaints;

        async Task VerifyAsync(string when, string[] items)
        {
            VerificationReport report = await VaultVerifier.VerifyAsync(folder, new VerificationOptions { Keys = keys, Digests = true });
            if (report.Content != ContentVerdict.Verified)
                complaints.Add($"{when}, verify says {Slot.Describe(report)}");
            foreach (string item in items.Where(item => !report.Images.Any(i => i.Item == item && i.Content == ContentVerdict.Verified)))
                complaints.Add($"{when}, the image {item} is gone");
        }
    }

    /// <summary>The folder has the path and the inode that it had before the cut; here it has others.</summary>
    private static void Rewrite(string place, string folder)
    {
        string logs = Path.Combine(place, "home", "logs");
        if (!Directory.Exists(logs) || !Directory.Exists(folder))
            return;
        foreach (string file in Directory.GetFiles(logs, "place", SearchOption.AllDirectories))
        {
            _ = LedgerPlace.Parse(File.ReadAllText(file));
            File.WriteAllText(file, LedgerPlace.Of(folder).ToText());
        }
    }
}
