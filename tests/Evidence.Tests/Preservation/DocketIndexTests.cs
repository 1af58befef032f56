using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Tests.Ledger;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Xunit;
using static Evidence.Tests.Preservation.WipeGateTests;

namespace Evidence.Tests.Preservation;

/// <summary>What is read by the index says the same as what is read in full; and an index that is wrong is not used.</summary>
public sealed class DocketIndexTests : IDisposable
{
    private const string Other = "server-8";
    private const string Spare = "spare";

    private static readonly string[] People = ["keeper", "clerk", "stranger", "museum"];

    private static readonly Action<Scene, int>[] Acts =
    [
        (scene, n) => scene.Notice(n % 2 == 0 ? "customer" : "counsel", asset: Asset(n / 2)),
        (scene, n) => scene.Pass(Duration.FromDays(n % 45)),
        (scene, n) => Preserve(scene, n),
        (scene, n) => scene.RequestAndApprove(Asset(n)),
        (scene, n) => scene.Respond((ResponseAct)(n % 4), n % 3 == 0 ? "customer" : "counsel", "customer", notice: LastNotice(scene), asset: Asset(n)),
        (scene, n) => scene.Hold("court", n % 2 == 0 ? "judge" : "keeper", (HoldForm)(n % 3), asset: Asset(n)),
        (scene, n) => scene.State((AssetState)(n % 4), Asset(n)),
        (scene, n) => scene.Asset(Asset(n), parties: ["customer"], disks: [new AssetDisk(n % 2 == 0 ? Preservation.Scene.Disk : $"{Asset(n)}/sda", null, null)]),
        (scene, n) => scene.Release(LastAct(scene, n), "court", "judge", asset: Asset(n)),
        (scene, n) => scene.Asset(
            Spare, serials: [n % 3 == 0 ? $"SN-{Asset(n / 3)}" : "SN"], disks: [new AssetDisk($"{Spare}/{n % 4}", n % 5 < 3 ? "WD-1" : null, null)], parties: n % 7 == 0 ? ["counsel"] : []),
        (scene, n) => scene.Asset(Asset(n), disks: [new AssetDisk($"{Asset(n)}/sdb", n % 2 == 0 ? "WD-1" : null, null)]),
        (scene, n) => scene.Record(scene.Images is { Length: > 0 } images ? images[n / 3 % images.Length] : default, $"{Asset(n)}/sda"),
        (scene, n) => scene.Notice(n % 2 == 0 ? "customer" : "counsel", deliver: n % 3 == 0, asset: Asset(n / 2), all: [Preservation.Scene.Server, Other]),
        (scene, n) => scene.Respond(ResponseAct.Objection, "customer", "customer", notice: LastNotice(scene), asset: Asset(n)),
        (scene, n) => scene.Party($"party-{n % 3}", (PartyRole)(n % 8), n % 5 == 0 ? null : People[n % People.Length], by: People[n / 3 % People.Length]),
        (scene, n) => scene.State((AssetState)(n % 4), Asset(n), People[n / 4 % People.Length]),
        (scene, n) => scene.Request(People[n % People.Length], Asset(n)),
        (scene, n) => scene.Verify(scene.Images is { Length: > 0 } images ? images[n % images.Length] : default, person: People[n / 2 % People.Length]),
        Repeat,
    ];


    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("evidence-docket-");
    private readonly KeyStore keys;

    public DocketIndexTests() => keys = new KeyStore(folder.FullName);

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void By_the_index_the_gate_says_the_same()
    {
        Prop.ForAll(Gen.Choose(0, 9999).ArrayOf().ToArbitrary(), script =>
        {
            Scene scene = Scene(notices: script.Length % 3);
            scene.Asset(Other);
            var index = Open(scene);
            for (int i = 0; i < Math.Min(script.Length, 12); i++)
            {
                scene.Now += Duration.FromMinutes(1);
                Acts[script[i] % Acts.Length](scene, script[i] / Acts.Length);
                // Sometimes it grows, and is remembered, on the way.
                if (script[i] % 5 == 0)
                    index = Open(scene);
            }

            index = Open(scene);
            Docket whole = scene.Docket();
            foreach (string asset in (string[])[Preservation.Scene.Server, Other, Spare, "none"])
                Assert.Equal(Text(scene.Judge(asset, docket: whole)), Text(scene.Judge(asset, docket: Docket.ReadFor(scene.Reader(), index, asset))));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    [Fact]
    public void What_was_said_already_counts_for_nothing_by_the_index_either()
    {
        Scene scene = Preserved();
        scene.Now += Duration.FromMinutes(1);
        long good = scene.Receipt("museum", scene.Images);
        scene.Now += Duration.FromMinutes(1);
        scene.Receipt("museum", scene.Images, "refuted");
        Open(scene);
        scene.Append(LedgerFixture.Repeat(scene.Entry(good)));
        foreach (Docket docket in (Docket[])[scene.Docket(), Docket.ReadFor(scene.Reader(), Open(scene), Preservation.Scene.Server)])
        {
            GateDecision decision = scene.Judge(docket: docket);
            Assert.False(decision.IsCleared, Text(decision));
            Says(decision, "preserved", "museum found it refuted");
        }
    }

    [Fact]
    public void An_image_of_another_asset_is_known_as_that_by_the_index_too()
    {
        Scene scene = Scene(notices: 1);
        Sha256Digest image = scene.Image("another/sda");
        scene.Record(image, Preservation.Scene.Disk);
        scene.Verify(image);
        scene.Receipt("museum", [image]);
        scene.RequestAndApprove();
        scene.Stamp();
        foreach (Docket docket in (Docket[])[scene.Docket(), Docket.ReadFor(scene.Reader(), Open(scene), Preservation.Scene.Server)])
            Says(scene.Judge(docket: docket), "preserved", $"There is no image of the disk {Preservation.Scene.Disk}");
    }

    [Fact]
    public void One_that_was_changed_anywhere_is_made_anew_and_so_is_one_of_another_ledger()
    {
        Scene scene = Preserved();
        string path = keys.MemoryPath("vault", "docket-4");
        Open(scene);
        byte[] kept = File.ReadAllBytes(path);
        string right = Text(scene.Judge());
        long hold = scene.Hold("court", "judge", HoldForm.Order);
        Assert.True(hold > 0);
        string shut = Text(scene.Judge());
        Assert.NotEqual(right, shut, StringComparer.Ordinal);
        for (int i = 0; i < kept.Length; i += 7)
        {
            byte[] changed = [.. kept];
            changed[i] ^= 0x10;
            File.WriteAllBytes(path, changed);
            Assert.Equal(shut, Text(scene.Judge(docket: Docket.ReadFor(scene.Reader(), Open(scene), Preservation.Scene.Server))));
            Assert.NotEqual(changed, File.ReadAllBytes(path));
        }

        // It is right, and of another ledger.
        Scene other = Silent();
        Open(other);
        Assert.Equal(shut, Text(scene.Judge(docket: Docket.ReadFor(scene.Reader(), Open(scene), Preservation.Scene.Server))));
        // Cut short, or empty.
        foreach (int length in (int[])[0, 10, kept.Length - 1])
        {
            File.WriteAllBytes(path, kept[..length]);
            Assert.Equal(shut, Text(scene.Judge(docket: Docket.ReadFor(scene.Reader(), Open(scene), Preservation.Scene.Server))));
        }
    }

    [Fact]
    public void It_leads_to_few_entries()
    {
        Scene scene = Scene(notices: 1);
        int before = Open(scene).EntriesOf(Preservation.Scene.Server, scene.Reader()).Count;
        for (int i = 0; i < 50; i++)
            scene.Asset($"another-{i}", parties: []);
        Assert.Equal(before, Open(scene).EntriesOf(Preservation.Scene.Server, scene.Reader()).Count);
    }

    private DocketIndex Open(Scene scene) => DocketIndex.Open(scene.Reader(), new OwnMemory(keys, "vault", NullLogger.Instance), TestContext.Current.CancellationToken);

    private static string Asset(int n) => n % 3 == 0 ? Other : Preservation.Scene.Server;

    private static void Preserve(Scene scene, int n)
    {
        var image = scene.Image($"{Asset(n)}/sda");
        scene.Verify(image);
        scene.Receipt("museum", scene.Images);
    }

    /// <summary>Any entry once more, with the second form of its signature; those of every kind are among them.</summary>
    private static void Repeat(Scene scene, int n)
    {
        IGrouping<string, long>[] kinds = [.. Enumerable.Range(0, (int)scene.Size).GroupBy(i => scene.Entry(i).Payload.Kind, i => (long)i, StringComparer.Ordinal)];
        long[] entries = [.. kinds[n % kinds.Length]];
        scene.Append(LedgerFixture.Repeat(scene.Entry(entries[n / kinds.Length % entries.Length])));
    }

    private static long? LastNotice(Scene scene) => scene.Docket().Assets.Values.SelectMany(asset => asset.Notices).LastOrDefault()?.Entry;

    private static long LastAct(Scene scene, int n)
    {
        long[] entries = [.. scene.Docket().Assets.Values.SelectMany(asset => asset.Holds.Select(hold => hold.Entry).Concat(asset.Responses.Select(response => response.Entry)))];
        return entries[n % entries.Length];
    }
}
