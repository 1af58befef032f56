using System.Collections.Concurrent;
using System.Diagnostics;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Interop.Tests.Crashes;

/// <summary>
/// The power is cut between any two system calls of a document's addition, also of one that was killed before and is repeated, and of what was not flushed by then up to
/// two steps are lost or torn, or all of them are lost. What was acknowledged is there, nothing else is under its name, and it can be added again.
/// </summary>
/// <remarks>With EVIDENCE_LONG=1 it is killed at every call; else at some of them.</remarks>
public sealed class DocumentPowerCutTests : IDisposable
{
    private static readonly bool Long = Environment.GetEnvironmentVariable("EVIDENCE_LONG") == "1";
    private static readonly string Memory = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
    private static readonly Sha256Digest Document = Sha256Digest.Compute(Slot.Second);

    private readonly Slot slot = new();

    public void Dispose() => slot.Dispose();

    [Fact]
    public async Task What_a_power_cut_leaves_of_a_document_is_all_of_it_or_nothing()
    {
        slot.Begin(withVault: true);
        var model = new ModelFileSystem(slot.Evidence.Folder, IsModelled);
        SystemCallTracer.Run(Add(), slot.Evidence.Folder, _ => Fault.None, model.Add).Succeeds();
        Assert.Empty(await ComplaintsAsync([model]));
    }

    /// <summary>The test of the test: one that flushes nothing is found out.</summary>
    [Fact]
    public async Task Without_its_flushes_it_would_not_be()
    {
        slot.Begin(withVault: true);
        var model = new ModelFileSystem(slot.Evidence.Folder, IsModelled);
        SystemCallTracer.Run(Add(), slot.Evidence.Folder, _ => Fault.None, call =>
        {
            if (call.Name != "fsync")
                model.Add(call);
        }).Succeeds();
        Assert.NotEmpty(await ComplaintsAsync([model]));
    }

    [Fact]
    public async Task Nor_of_one_that_was_killed_and_is_added_again()
    {
        slot.Begin(withVault: true);
        var calls = new List<SystemCall>();
        SystemCallTracer.Run(Add(), slot.Evidence.Folder, _ => Fault.None, calls.Add).Succeeds();
        SystemCall[] writing = [.. calls.Where(c => c.IsWriteSide)];
        var models = new List<ModelFileSystem>();
        for (int kill = 1; kill < writing.Length; kill++)
        {
            // Between giving a name and flushing it.
            if (!Long && writing[kill - 1].Name is not ("rename" or "mkdir"))
                continue;
            slot.Begin(withVault: true);
            var model = new ModelFileSystem(slot.Evidence.Folder, IsModelled);
            int number = 0;
            SystemCallTracer.Run(Add(), slot.Evidence.Folder, call => call.IsWriteSide && number++ == kill ? Fault.Kill : Fault.None, model.Add);
            if (model.IsAcknowledged)
                continue;
            SystemCallTracer.Run(Add(), slot.Evidence.Folder, _ => Fault.None, model.Add).Succeeds();
            models.Add(model);
        }

        Assert.True(models.Count >= 3, $"only {models.Count} kills");
        Assert.Empty(await ComplaintsAsync(models));
    }

    private ProcessStartInfo Add() => slot.Evidence.StartInfo("--json", "document", "add", slot.Evidence.PathOf("second.img"));

    private static bool IsModelled(string name) => name.Length == 0 || name.Split('/')[0] is "vault" or "home";

    private static async Task<IReadOnlyCollection<string>> ComplaintsAsync(List<ModelFileSystem> models)
    {
        var states = new Dictionary<string, (ModelState State, string What)>(StringComparer.Ordinal);
        foreach (ModelFileSystem model in models)
        {
            Assert.True(model.IsAcknowledged, "The command's answer was not seen.");
            for (int moment = 0; moment < model.Moments; moment++)
            {
                (int Step, Damage Damage)[] uncertain = [.. model.Uncertain(moment)];
                Take(model, moment, []);
                Take(model, moment, [.. uncertain.Where(d => d.Damage == Damage.Lost)]);
                for (int one = 0; one < uncertain.Length; one++)
                {
                    Take(model, moment, [uncertain[one]]);
                    foreach ((int Step, Damage Damage) two in uncertain[(one + 1)..].Where(d => d.Step != uncertain[one].Step))
                        Take(model, moment, [uncertain[one], two]);
                }
            }
        }

        void Take(ModelFileSystem model, int moment, (int Step, Damage Damage)[] damages)
        {
            ModelState state = model.At(moment, damages);
            states.TryAdd(state.Key, (state, model.Describe(moment, damages)));
        }

        var work = new ConcurrentQueue<(ModelState State, string What)>(states.Values);
        var wrong = new ConcurrentQueue<string>();
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Run(async () =>
        {
            while (wrong.Count < 40 && work.TryDequeue(out (ModelState State, string What) next))
            {
                string place = Directory.CreateDirectory(Path.Combine(Memory, "evidence-power-" + Path.GetRandomFileName())).FullName;
                try
                {
                    next.State.Materialise(place);
                    if (await ComplaintAsync(place, next.State.IsAcknowledged) is { } complaint)
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
        TestContext.Current.TestOutputHelper!.WriteLine($"{models.Count} runs, {states.Count} different states tried.");
        Assert.True(states.Count > 10, $"only {states.Count} states");
        return wrong;
    }

    private static async Task<string?> ComplaintAsync(string place, bool isAcknowledged)
    {
        string folder = Path.Combine(place, "vault");
        foreach (string file in Directory.GetFiles(Path.Combine(place, "home"), "place", SearchOption.AllDirectories))
            await File.WriteAllTextAsync(file, LedgerPlace.Of(folder).ToText());
        var keys = new KeyStore(Path.Combine(place, "home"));
        VerificationReport report = await VaultVerifier.VerifyAsync(folder, new VerificationOptions { Keys = keys });
        if (report.Content != ContentVerdict.Verified || report.Findings.Any(f => f.What is not "unrecorded"))
            return $"verify says {Slot.Describe(report)}";
        using Vault vault = Vault.Open(folder, new VaultAccess { Keys = keys, Actor = Slot.Actor });
        // Reading recomputes it.
        if (vault.Documents.TryRead(Document, Slot.Second.Length) is null && isAcknowledged)
            return "it was acknowledged, and is not there";
        return vault.Documents.Add(new MemoryStream(Slot.Second)) == Document && vault.Documents.TryRead(Document, Slot.Second.Length) is not null
            ? null
            : "it cannot be added again";
    }
}
