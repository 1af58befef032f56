using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Replication;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Replication;

public sealed class DocumentReplicationTests : IDisposable
{
    private readonly ReplicaPlace place = new();

    private int documents;

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task Documents_go_along_and_are_what_the_custodian_verifies()
    {
        await place.AcquireAsync();
        string[] names = [AddDocument(), AddDocument((2 << 20) + 5)];
        Assert.Equal(2, (await place.ReplicateAsync()).Documents);
        await place.IsVerifiedAsync();
        place.RecordIsWhatIsThere();
        Assert.All(names, name => Assert.Equal(File.ReadAllBytes(At(place.Origin.Folder, name)), File.ReadAllBytes(At(place.Replica, name))));
        using (var replica = Vault.Open(place.Replica, place.Custodian))
            Assert.Equal(2, replica.Documents.List().Count);
        Assert.Equal(0, (await place.ReplicateAsync()).Documents);
        AddDocument();
        Assert.Equal(1, (await place.ReplicateAsync()).Documents);
        await place.IsVerifiedAsync();
    }

    [Fact]
    public async Task What_is_lost_or_changed_there_is_sent_again_when_that_is_asked_for()
    {
        string name = AddDocument();
        await place.ReplicateAsync();
        string path = At(place.Replica, name);
        byte[] right = await File.ReadAllBytesAsync(path, TestVault.Stop);
        foreach (bool isMissing in (bool[])[true, false])
        {
            if (isMissing)
                File.Delete(path);
            else
                TestVault.Flip(path, 9);
            VerificationReport before = await place.VerifyAsync();
            Assert.Equal(isMissing ? ContentVerdict.Incomplete : ContentVerdict.Refuted, before.Content);
            Assert.Equal((isMissing ? "absent" : "document", name), Assert.Single(before.Findings) is var told ? (told.What, told.File!) : default);
            Assert.Equal(0, (await place.ReplicateAsync()).Documents);
            Assert.Equal(name, Assert.Single(await place.CheckAsync()).File);
            ReplicationResult result = await place.ReplicateAsync(new ReplicationOptions { Resend = true });
            Assert.Equal((1, true), (result.Documents, result.IsWhole));
            Assert.Equal(right, await File.ReadAllBytesAsync(path, TestVault.Stop));
            VerificationReport report = await place.VerifyAsync();
            Assert.Equal(ContentVerdict.Verified, report.Content);
            // What lay there is kept as evidence of the damage.
            Assert.Equal(isMissing ? 0 : 1, report.Findings.Count(f => f.What == "set-aside"));
        }
    }

    [Fact]
    public async Task A_document_that_is_damaged_here_is_not_sent_and_the_rest_goes_on()
    {
        string good = AddDocument();
        string bad = AddDocument(3_000_000);
        foreach (long offset in (long[])[0, 1_500_000, 2_999_999])
        {
            place.Replica = place.Origin.At($"replica-{offset}");
            TestVault.Flip(At(place.Origin.Folder, bad), offset);
            ReplicationResult result = await place.ReplicateAsync();
            Assert.Equal((1, false), (result.Documents, result.IsWhole));
            Assert.Equal(bad, Assert.Single(result.Damaged).File);
            Assert.True(File.Exists(At(place.Replica, good)));
            Assert.False(File.Exists(At(place.Replica, bad)));
            place.RecordIsWhatIsThere();
            VerificationReport report = await place.VerifyAsync();
            Assert.Equal(ContentVerdict.Incomplete, report.Content);
            Assert.Equal(("absent", bad), Assert.Single(report.Findings) is var told ? (told.What, told.File!) : default);
            TestVault.Flip(At(place.Origin.Folder, bad), offset);
            Assert.Equal(1, (await place.ReplicateAsync()).Documents);
            await place.IsVerifiedAsync();
        }
    }

    [Fact]
    public async Task The_ledger_goes_after_the_documents_that_it_names()
    {
        AddDocument();
        await place.ReplicateAsync();
        AddDocument();
        // Somebody put another file under its name.
        string name = AddDocument();
        Directory.CreateDirectory(Path.GetDirectoryName(At(place.Replica, name))!);
        await File.WriteAllTextAsync(At(place.Replica, name), "another", TestVault.Stop);
        Assert.Equal(ErrorCode.DestinationInvalid, (await Assert.ThrowsAsync<EvidenceException>(() => place.ReplicateAsync())).Code);
        // The older checkpoint stands, and what it names is there.
        VerificationReport report = await place.VerifyAsync();
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.All(report.Findings, f => Assert.True(f.What is "unrecorded" or "document"));
    }

    private static string At(string folder, string name) => Path.Combine(folder, name);

    private string AddDocument(int length = 4000)
    {
        using Vault vault = place.Origin.Open();
        Sha256Digest document = vault.Documents.Add(new MemoryStream(TestBytes.Random(length, ++documents)));
        vault.Ledger.Record(EntryKind.Note, [], null, new JsonObject { ["document"] = document.ToString() });
        return Path.GetRelativePath(vault.Folder, vault.Layout.Document(document));
    }
}
