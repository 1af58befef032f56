using Evidence.Hashing;
using Evidence.Ledger;
using Xunit;

namespace Evidence.Tests.Ledger;

public sealed class KeyStoreTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("evidence-keys-");

    private KeyStore Store => new(Path.Combine(folder.FullName, "home"));

    [Fact]
    public void Keys_are_kept_listed_and_loaded_and_only_their_owner_can_read_them()
    {
        Assert.Empty(Store.ListActors());
        using ActorKey actor = Store.CreateActor("m.meier");
        using LogKeys log = Store.CreateLog("example.com/vault");
        Assert.Equal(["m.meier"], Store.ListActors());
        using ActorKey loaded = Store.LoadActor("m.meier");
        Assert.Equal(actor.Id, loaded.Id);
        using LogKeys loadedLog = Store.LoadLog("example.com/vault");
        Assert.Equal(log.VerifierKeys, loadedLog.VerifierKeys);
        Assert.Equal(log.VerifierKeys, Store.Pinned("example.com/vault"));
        foreach (string key in Directory.GetFiles(folder.FullName, "*.pem", SearchOption.AllDirectories))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(key));
    }

    [Fact]
    public void Nothing_is_overwritten_and_what_is_missing_is_said()
    {
        Store.CreateActor("a").Dispose();
        Store.CreateLog("o").Dispose();
        Assert.Equal(ErrorCode.DestinationInvalid, Assert.Throws<EvidenceException>(() => Store.CreateActor("a")).Code);
        Assert.Equal(ErrorCode.DestinationInvalid, Assert.Throws<EvidenceException>(() => Store.CreateLog("o")).Code);
        Assert.Equal(ErrorCode.KeyMissing, Assert.Throws<EvidenceException>(() => Store.LoadActor("b")).Code);
        Assert.Equal(ErrorCode.KeyMissing, Assert.Throws<EvidenceException>(() => Store.LoadLog("p")).Code);
        Assert.False(Store.HasLog("p"));
        foreach (string name in (string[])["", "../a", "a/b", ".a", "a b"])
            Assert.Equal(ErrorCode.Usage, Assert.Throws<EvidenceException>(() => Store.CreateActor(name)).Code);
    }

    [Fact]
    public void Pinned_keys_stay_and_others_are_refused()
    {
        using var keys = LogKeys.Create("o");
        using var others = LogKeys.Create("o");
        Assert.Empty(Store.Pinned("o"));
        Store.Pin("o", keys.VerifierKeys);
        Store.Pin("o", [.. keys.VerifierKeys.Reverse()]);
        Assert.Equal(ErrorCode.LedgerFork, Assert.Throws<EvidenceException>(() => Store.Pin("o", others.VerifierKeys)).Code);
        Assert.Equal(keys.VerifierKeys, Store.Pinned("o"));
    }

    [Fact]
    public void What_was_seen_only_moves_forward()
    {
        using var keys = LogKeys.Create("o");
        Store.Pin("o", keys.VerifierKeys);
        foreach (long size in (long[])[5, 9, 7])
        {
            var checkpoint = new Checkpoint("o", size, MerkleTree.EmptyRoot);
            Store.Record(checkpoint, keys.Sign(checkpoint));
        }

        Assert.Equal(9, Checkpoint.Parse(SignedNote.Parse(Store.Find("o")).Text).Size);
        Assert.Null(Store.Find("p"));
    }

    [Fact]
    public void Nothing_is_remembered_under_keys_that_are_not_pinned()
    {
        using var keys = LogKeys.Create("o");
        using var others = LogKeys.Create("o");
        var checkpoint = new Checkpoint("o", 5, MerkleTree.EmptyRoot);
        Store.Record(checkpoint, keys.Sign(checkpoint));
        Assert.Null(Store.Find("o"));
        Store.Pin("o", keys.VerifierKeys);
        Store.Record(checkpoint, others.Sign(checkpoint));
        Assert.Null(Store.Find("o"));
        Store.Record(checkpoint, keys.Sign(checkpoint));
        Assert.NotNull(Store.Find("o"));
    }

    [Fact]
    public void Half_of_a_key_that_a_killed_run_left_goes_with_the_next_and_other_files_stay()
    {
        string home = Directory.CreateTempSubdirectory("evidence-keys-").FullName;
        try
        {
            string actors = Directory.CreateDirectory(Path.Combine(home, "actors")).FullName;
            foreach (string name in (string[])["a.turing.pem.0123456789ab.tmp", "a.turing.pem.tmp", "another.pem.0123456789ab.tmp"])
                File.WriteAllText(Path.Combine(actors, name), "half");
            new KeyStore(home).CreateActor("a.turing").Dispose();
            Assert.Equal(
                "a.turing.pem a.turing.pem.tmp another.pem.0123456789ab.tmp",
                string.Join(' ', Directory.GetFiles(actors).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)));
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    public void Dispose() => folder.Delete(recursive: true);
}
