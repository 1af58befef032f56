using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Timestamping;

/// <summary>Time stamps by <c>openssl ts</c>, through the command, and verified by both.</summary>
public sealed class TimestampTests : IDisposable
{
    private readonly EvidenceCommand evidence = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_token_that_was_asked_over_HTTP_is_verified_by_openssl_and_by_us(bool rsa)
    {
        Peer.Require("openssl");
        using var authority = new OpenSslAuthority(evidence.PathOf("tsa"), rsa);
        evidence.Run("init").Succeeds();
        JsonElement asked = evidence.Json("timestamp", "ask", "--url", authority.Address, "--policy", "1.2.3.4.5").Succeeds().Json;
        Assert.Equal(0, asked.GetProperty("lacking").GetArrayLength());
        Assert.False(asked.GetProperty("timestamp").GetProperty("trusted").GetBoolean());
        Assert.Equal("1.5001", asked.GetProperty("timestamp").GetProperty("accuracy").GetString());

        // As docs/format/ledger.md says that a reader without us does it.
        string document = Path.Combine(evidence.Vault, asked.GetProperty("timestamp").GetProperty("file").GetString()!);
        JsonElement fields = JsonDocument.Parse(File.ReadAllBytes(document)).RootElement;
        File.WriteAllBytes(evidence.PathOf("note"), fields.GetProperty("note").GetBytesFromBase64());
        File.WriteAllBytes(evidence.PathOf("token"), fields.GetProperty("token").GetBytesFromBase64());
        string[] verify = ["ts", "-verify", "-data", evidence.PathOf("note"), "-in", evidence.PathOf("token"), "-token_in", "-CAfile", authority.RootFile];
        Assert.Contains("Verification: OK", Peer.Run("openssl", verify), StringComparison.Ordinal);
        File.AppendAllText(evidence.PathOf("note"), "x");
        Assert.NotEqual(0, Peer.TryRun("openssl", verify).ExitCode);

        JsonElement trusting = evidence.Json("verify", "--no-record", "--trust", authority.RootFile).Succeeds().Json;
        Assert.Equal("timestamped", trusting.GetProperty("anchor").GetString());
        Assert.Equal("2", trusting.GetProperty("ledger").GetProperty("timestampedSize").GetString());
        Assert.Equal("none", evidence.Json("verify", "--no-record").Succeeds().Json.GetProperty("anchor").GetString());
        Assert.Contains("time-stamped by an authority that you do not say you trust", evidence.Run("verify", "--no-record").Succeeds().Text, StringComparison.Ordinal);
        string said = evidence.Run("verify", "--no-record", "--trust", authority.RootFile).Succeeds().Text;
        Assert.Contains("time-stamped by OpenSSL Clock", said, StringComparison.Ordinal);
        Assert.Contains("anchor: timestamped, up to 2 of 3 entries", said, StringComparison.Ordinal);
    }

    [Fact]
    public void By_files_on_a_machine_without_a_network()
    {
        Peer.Require("openssl");
        using var authority = new OpenSslAuthority(evidence.PathOf("tsa"), rsa: true);
        evidence.Run("init").Succeeds();
        string query = evidence.PathOf("newest.tsq");
        evidence.Run("timestamp", "request", "--output", query).Succeeds();
        Assert.Contains("Hash Algorithm: sha256", Peer.Run("openssl", "ts", "-query", "-in", query, "-text"), StringComparison.Ordinal);
        string reply = evidence.PathOf("newest.tsr");
        File.WriteAllBytes(reply, authority.Reply(query));
        JsonElement taken = evidence.Json("timestamp", "accept", reply, "--with", authority.RootFile).Succeeds().Json;
        Assert.Contains("was not fetched", taken.GetProperty("lacking")[0].GetString(), StringComparison.Ordinal);
        Assert.Contains("time-stamped by OpenSSL Clock", evidence.Run("timestamp", "list", "--trust", authority.RootFile).Succeeds().Text, StringComparison.Ordinal);
        Assert.Contains("time-stamped by OpenSSL Clock", evidence.Run("log").Succeeds().Text, StringComparison.Ordinal);
        evidence.Json("timestamp", "accept", reply).FailsWith("timestamp-refused");
    }

    [Fact]
    public async Task An_authority_that_was_revoked_before_is_refused_when_it_is_asked_and_when_its_token_is_judged()
    {
        Peer.Require("openssl");
        using var authority = new OpenSslAuthority(evidence.PathOf("tsa"), rsa: false);
        evidence.Run("init").Succeeds();
        evidence.Run("timestamp", "ask", "--url", authority.Address).Succeeds();
        authority.RevokedAt = new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);
        string refused = evidence.Json("timestamp", "ask", "--url", authority.Address).FailsWith("timestamp-refused");
        Assert.Contains("was revoked at 2024-01-01", refused, StringComparison.Ordinal);

        // The token that was taken before comes to nothing with the list that the verifier has now.
        string list = evidence.PathOf("now.crl");
        using (var http = new HttpClient())
            await File.WriteAllBytesAsync(list, await http.GetByteArrayAsync(new Uri(authority.Address + "root.crl"), TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
        JsonElement report = evidence.Json("verify", "--no-record", "--trust", authority.RootFile, "--trust", list).Succeeds().Json;
        Assert.Equal("none", report.GetProperty("anchor").GetString());
        Assert.Contains("was revoked at 2024-01-01", report.GetProperty("ledger").GetProperty("findings")[0].GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_address_of_an_authority_is_a_wrong_call()
    {
        evidence.Run("init").Succeeds();
        foreach (string url in (string[])["ftp://tsa.example/", "tsa"])
            evidence.Json("timestamp", "ask", "--url", url).FailsWith("usage", 2);
    }

    public void Dispose() => evidence.Dispose();
}
