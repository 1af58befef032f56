using Evidence.Sources.Nbd;
using Xunit;

namespace Evidence.Tests.Sources.Nbd;

public sealed class NbdUriTests
{
    [Theory]
    // The table of the specification.
    [InlineData("nbd://example.com/disk", "example.com", 10809, null, "disk", "nbd://example.com/disk")]
    [InlineData("nbd+unix:///disk?socket=/run/sock", "localhost", 10809, "/run/sock", "disk", "nbd+unix:///disk?socket=/run/sock")]
    [InlineData("nbd://example.com/", "example.com", 10809, null, "", "nbd://example.com/")]
    [InlineData("nbd://example.com", "example.com", 10809, null, "", "nbd://example.com/")]
    [InlineData("nbd://example.com//disk", "example.com", 10809, null, "/disk", "nbd://example.com//disk")]
    [InlineData("nbd://example.com/hello%20world", "example.com", 10809, null, "hello world", "nbd://example.com/hello%20world")]
    [InlineData("nbd+unix:///?socket=%00/abstract", "localhost", 10809, "\0/abstract", "", "nbd+unix:///?socket=%00/abstract")]
    // Ports, addresses, and what is written in more than one way.
    [InlineData("nbd://example.com:10809/disk", "example.com", 10809, null, "disk", "nbd://example.com/disk")]
    [InlineData("NBD://h:1/x", "h", 1, null, "x", "nbd://h:1/x")]
    [InlineData("nbd://h:/x", "h", 10809, null, "x", "nbd://h/x")]
    [InlineData("nbd:///x", "localhost", 10809, null, "x", "nbd://localhost/x")]
    [InlineData("nbd://[::1]:65535/x", "::1", 65535, null, "x", "nbd://[::1]:65535/x")]
    [InlineData("nbd://[fe80::1%25eth0]/x", "fe80::1%eth0", 10809, null, "x", "nbd://[fe80::1%25eth0]/x")]
    [InlineData("nbd://127.0.0.1/a/../b?", "127.0.0.1", 10809, null, "a/../b", "nbd://127.0.0.1/a/../b")]
    [InlineData("nbd://h/%C3%BC%3F%23+&", "h", 10809, null, "ü?#+&", "nbd://h/%C3%BC%3F%23+&")]
    [InlineData("nbd+unix:///?socket=/run/a%26b%3Fc", "localhost", 10809, "/run/a&b?c", "", "nbd+unix:///?socket=/run/a%26b%3Fc")]
    [InlineData("nbd+unix://?socket=/s", "localhost", 10809, "/s", "", "nbd+unix:///?socket=/s")]
    public void An_address_is_read(string text, string host, int port, string? socket, string export, string canonical)
    {
        Assert.True(NbdUri.IsMeant(text));
        var uri = NbdUri.Parse(text);
        Assert.Equal((host, port, socket, export, false), (uri.Host, uri.Port, uri.Socket, uri.Export, uri.IsTls));
        Assert.Equal(canonical, uri.ToString());
        Assert.Equal(uri, NbdUri.Parse(canonical));
    }

    [Fact]
    public void What_concerns_TLS_is_read_and_left_out_of_the_name()
    {
        var uri = NbdUri.Parse("nbds://h/x?tls-certificates=/etc/pki&tls-hostname=vm.example&tls-verify-peer=true&tls-type=x509");
        Assert.Equal((true, "/etc/pki", "vm.example", true), (uri.IsTls, uri.CertificateFolder, uri.TlsHostname, uri.VerifiesPeer));
        Assert.Equal("nbds://h/x", uri.ToString());
        Assert.All((string[])["0", "false"], no => Assert.False(NbdUri.Parse($"nbds://h/x?tls-verify-peer={no}").VerifiesPeer));
        Assert.True(NbdUri.Parse("nbds://h/x").VerifiesPeer);
        Assert.Equal("nbds+unix:///x?socket=/s", NbdUri.Parse("nbds+unix:///x?socket=/s&tls-hostname=h").ToString());
    }

    [Theory]
    [InlineData("nbd+ssh://h/x", "nbd+ssh")]
    [InlineData("nbd+vsock:///x", "nbd+vsock")]
    [InlineData("nbd://h/x#y", "fragment")]
    [InlineData("nbd://h:0/x", "65535")]
    [InlineData("nbd://h:65536/x", "65535")]
    [InlineData("nbd://h:+1/x", "65535")]
    [InlineData("nbd://::1/x", "brackets")]
    [InlineData("nbd://[::1/x", "IPv6")]
    [InlineData("nbd://[::1]1/x", "IPv6")]
    [InlineData("nbd://[name]/x", "IPv6")]
    [InlineData("nbd://h/%", "hexadecimal")]
    [InlineData("nbd://h/%4", "hexadecimal")]
    [InlineData("nbd://h/%zz", "hexadecimal")]
    [InlineData("nbd://h/%FF", "UTF-8")]
    [InlineData("nbd://h/%00", "zero")]
    [InlineData("nbd://h/x?socket=/s", "nbd+unix")]
    [InlineData("nbd+unix:///x", "does not name the socket")]
    [InlineData("nbd+unix:///x?socket=", "empty")]
    [InlineData("nbd+unix://h/x?socket=/s", "three slashes")]
    [InlineData("nbd+unix:///x?socket=/s&socket=/t", "twice")]
    [InlineData("nbd://h/x?colour=red", "colour")]
    [InlineData("nbd://h/x?tls-certificates=/d", "nbds://")]
    [InlineData("nbds://h/x?tls-certificates=", "empty")]
    [InlineData("nbds://h/x?tls-verify-peer=maybe", "tls-verify-peer")]
    [InlineData("nbds://h/x?tls-psk-file=/keys", "pre-shared")]
    [InlineData("nbds://h/x?tls-type=psk", "pre-shared")]
    [InlineData("nbds://h/x?tls-type=anon", "anonymous")]
    [InlineData("nbds://h/x?tls-username=eve", "pre-shared")]
    [InlineData("nbds+unix:///x?socket=/s", "tls-hostname")]
    public void What_is_not_valid_is_refused_with_the_reason(string text, string reason)
    {
        Assert.True(NbdUri.IsMeant(text));
        EvidenceException error = Assert.Throws<EvidenceException>(() => NbdUri.Parse(text));
        Assert.Equal(ErrorCode.Usage, error.Code);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_the_protocol_does_not_allow_is_refused()
    {
        Assert.Equal(4096, NbdUri.Parse("nbd://h/" + new string('x', 4096)).Export.Length);
        Assert.Throws<EvidenceException>(() => NbdUri.Parse("nbd://h/" + new string('x', 4097)));
        Assert.Throws<EvidenceException>(() => NbdUri.Parse("nbd://h/" + new string('ü', 2049)));
        Assert.Throws<EvidenceException>(() => NbdUri.Parse("nbd://h/" + (char)0xD800));
    }

    [Fact]
    public void A_password_is_not_repeated()
    {
        string message = Assert.Throws<EvidenceException>(() => NbdUri.Parse("nbds://eve:secret@word@h/x@y?z=1")).Message;
        Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
        Assert.DoesNotContain("word", message, StringComparison.Ordinal);
        Assert.Contains("@h/x@y", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nbd")]
    [InlineData("nbd:x")]
    [InlineData("./nbd://h/x")]
    [InlineData("/dev/nbd0")]
    [InlineData("nbdx://h")]
    [InlineData("http://h/nbd://")]
    [InlineData("://")]
    public void Other_names_are_paths(string text) => Assert.False(NbdUri.IsMeant(text));
}
