<#
.SYNOPSIS
    The exchange's cryptography: reading a guest's public key, and encrypting values for it. No other I/O.
.DESCRIPTION
    Module logging writes the parameters of every command, so texts are opened inside one function and pass through .NET
    calls and this module's class alone.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'AetherV.Records.psm1')

$script:DataPrefix = 'hlvmm.data.'
$script:MinBits = 2048

class GuestCipher {
    # A method's arguments are not logged, unlike a function's.
    static [string] Encrypt([byte[]] $key, [string] $text) {
        $aes = [System.Security.Cryptography.Aes]::Create()
        try {
            $aes.KeySize = 256
            $aes.Mode = [System.Security.Cryptography.CipherMode]::CBC
            $aes.Padding = [System.Security.Cryptography.PaddingMode]::PKCS7
            $aes.Key = $key
            $aes.GenerateIV()
            $plain = [System.Text.Encoding]::UTF8.GetBytes($text)
            $secret = New-Object -TypeName 'byte[]' -ArgumentList 0
            $encryptor = $aes.CreateEncryptor()
            try { $secret = $encryptor.TransformFinalBlock($plain, 0, $plain.Length) } finally { $encryptor.Dispose() }
            [Array]::Clear($plain, 0, $plain.Length)
            $all = New-Object -TypeName 'byte[]' -ArgumentList ($aes.IV.Length + $secret.Length)
            [Array]::Copy($aes.IV, 0, $all, 0, $aes.IV.Length)
            [Array]::Copy($secret, 0, $all, $aes.IV.Length, $secret.Length)
            return [Convert]::ToBase64String($all)
        }
        finally { $aes.Dispose() }
    }

    static [string[]] Cut([string] $text, [int] $units) {
        # At most so many UTF-16 units a piece, one fewer where the cut would part a surrogate pair.
        $pieces = New-Object -TypeName 'System.Collections.Generic.List[string]'
        $from = 0
        while ($text.Length - $from -gt $units) {
            $length = $units
            if ([char]::IsHighSurrogate($text[$from + $length - 1])) { $length-- }
            $pieces.Add($text.Substring($from, $length))
            $from += $length
        }
        $pieces.Add($text.Substring($from))
        return $pieces.ToArray()
    }

    static [string] Checksum([System.Collections.IDictionary] $plain) {
        $names = New-Object -TypeName 'System.Collections.Generic.List[string]'
        foreach ($name in $plain.Keys) { $names.Add([string] $name) }
        $names.Sort([StringComparer]::Ordinal)
        $values = New-Object -TypeName 'System.Collections.Generic.List[string]'
        foreach ($name in $names) { $values.Add([string] $plain[$name]) }
        $bytes = [System.Text.Encoding]::UTF8.GetBytes([string]::Join('|', $values.ToArray()))
        $sha = [System.Security.Cryptography.SHA256]::Create()
        try { return [Convert]::ToBase64String($sha.ComputeHash($bytes)) } finally { $sha.Dispose(); [Array]::Clear($bytes, 0, $bytes.Length) }
    }
}

function Read-DerItem {
    <#
    .SYNOPSIS
        Returns tag, start, length and end of the DER item at a place.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([byte[]] $Bytes, [int] $At, [int] $Tag)

    if ($At + 2 -gt $Bytes.Length -or $Bytes[$At] -ne $Tag) { throw (New-Object -TypeName FormatException -ArgumentList 'another DER item was expected') }
    $length = [int] $Bytes[$At + 1]
    $start = $At + 2
    if ($length -ge 0x80) {
        $count = $length -band 0x7f
        if ($count -lt 1 -or $count -gt 3 -or $start + $count -gt $Bytes.Length) { throw (New-Object -TypeName FormatException -ArgumentList 'a DER length') }
        $length = 0
        for ($next = 0; $next -lt $count; $next++) { $length = $length * 256 + $Bytes[$start + $next] }
        $start += $count
    }
    if ($start + $length -gt $Bytes.Length) { throw (New-Object -TypeName FormatException -ArgumentList 'a DER item is cut off') }
    return @{ Start = $start; Length = $length; End = $start + $length }
}

function Get-ByteRange {
    <#
    .SYNOPSIS
        Returns a part of bytes, turned round where they are little-endian, without zeros in front.
    #>
    [CmdletBinding()]
    [OutputType([byte[]])]
    param([byte[]] $Bytes, [int] $Start, [int] $Length, [switch] $LittleEndian)

    if ($Length -lt 1 -or $Start + $Length -gt $Bytes.Length) { throw (New-Object -TypeName FormatException -ArgumentList 'a number is cut off') }
    $part = New-Object -TypeName 'byte[]' -ArgumentList $Length
    [Array]::Copy($Bytes, $Start, $part, 0, $Length)
    if ($LittleEndian) { [Array]::Reverse($part) }
    $zeros = 0
    while ($zeros -lt $Length - 1 -and $part[$zeros] -eq 0) { $zeros++ }
    $number = New-Object -TypeName 'byte[]' -ArgumentList ($Length - $zeros)
    [Array]::Copy($part, $zeros, $number, 0, $number.Length)
    return , $number
}

function Read-Pkcs1Key {
    <#
    .SYNOPSIS
        Returns modulus and exponent of a PKCS#1 RSAPublicKey at a place of DER bytes (RFC 8017, A.1.1).
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([byte[]] $Bytes, [int] $At)

    $sequence = Read-DerItem -Bytes $Bytes -At $At -Tag 0x30
    $modulus = Read-DerItem -Bytes $Bytes -At $sequence.Start -Tag 0x02
    $exponent = Read-DerItem -Bytes $Bytes -At $modulus.End -Tag 0x02
    return @{
        Modulus  = Get-ByteRange -Bytes $Bytes -Start $modulus.Start -Length $modulus.Length
        Exponent = Get-ByteRange -Bytes $Bytes -Start $exponent.Start -Length $exponent.Length
    }
}

function Read-KeyNumber {
    <#
    .SYNOPSIS
        Returns modulus and exponent of a public key's bytes, told apart by the first of them.
    .DESCRIPTION
        06 02: CAPI PUBLICKEYBLOB, little-endian. RSA1: CNG BCRYPT_RSAPUBLIC_BLOB. 30: DER, PKCS#1 or SubjectPublicKeyInfo.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([byte[]] $Bytes)

    if ($Bytes.Length -lt 24) { throw (New-Object -TypeName FormatException -ArgumentList 'too short') }
    $isRsa1 = { param($at) [System.Text.Encoding]::ASCII.GetString($Bytes, $at, 4) -ceq 'RSA1' }
    if ($Bytes[0] -eq 0x06 -and $Bytes[1] -eq 0x02) {
        if (-not (& $isRsa1 8)) { throw (New-Object -TypeName FormatException -ArgumentList 'no RSA key') }
        $bits = [BitConverter]::ToUInt32($Bytes, 12)
        if ($bits -gt 16384) { throw (New-Object -TypeName FormatException -ArgumentList 'a key too long') }
        return @{
            Exponent = Get-ByteRange -Bytes $Bytes -Start 16 -Length 4 -LittleEndian
            Modulus  = Get-ByteRange -Bytes $Bytes -Start 20 -Length ([int] ($bits / 8)) -LittleEndian
        }
    }
    if (& $isRsa1 0) {
        $exponentSize = [BitConverter]::ToUInt32($Bytes, 8)
        $modulusSize = [BitConverter]::ToUInt32($Bytes, 12)
        if ($exponentSize -gt 64 -or $modulusSize -gt 2048) { throw (New-Object -TypeName FormatException -ArgumentList 'a key too long') }
        return @{
            Exponent = Get-ByteRange -Bytes $Bytes -Start 24 -Length ([int] $exponentSize)
            Modulus  = Get-ByteRange -Bytes $Bytes -Start (24 + [int] $exponentSize) -Length ([int] $modulusSize)
        }
    }
    $outer = Read-DerItem -Bytes $Bytes -At 0 -Tag 0x30
    if ($Bytes[$outer.Start] -eq 0x02) { return Read-Pkcs1Key -Bytes $Bytes -At 0 }
    $algorithm = Read-DerItem -Bytes $Bytes -At $outer.Start -Tag 0x30
    $oid = Read-DerItem -Bytes $Bytes -At $algorithm.Start -Tag 0x06
    if ([BitConverter]::ToString($Bytes, $oid.Start, $oid.Length) -cne '2A-86-48-86-F7-0D-01-01-01') { throw (New-Object -TypeName FormatException -ArgumentList 'no RSA key') }
    $bitString = Read-DerItem -Bytes $Bytes -At $algorithm.End -Tag 0x03
    if ($Bytes[$bitString.Start] -ne 0) { throw (New-Object -TypeName FormatException -ArgumentList 'unused bits') }
    return Read-Pkcs1Key -Bytes $Bytes -At ($bitString.Start + 1)
}

function ConvertFrom-GuestKey {
    <#
    .SYNOPSIS
        Returns the RSAParameters of the base64 text that a guest published; GUEST_KEY_INVALID for anything else.
    #>
    [CmdletBinding()]
    [OutputType([System.Security.Cryptography.RSAParameters])]
    param([Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $Text)

    if (-not $Text.Trim()) {
        throw (New-JobError -Id 'GUEST_KEY_INVALID' -Message 'The guest published an empty key: its image lacks openssl or xxd.')
    }
    try { $numbers = Read-KeyNumber -Bytes ([Convert]::FromBase64String($Text.Trim())) }
    catch {
        throw (New-JobError -Id 'GUEST_KEY_INVALID' -Message 'What the guest published as its key can''t be read.')
    }
    $bits = $numbers.Modulus.Length * 8
    for ($mask = 0x80; $mask -gt 0 -and ($numbers.Modulus[0] -band $mask) -eq 0; $mask = $mask -shr 1) { $bits-- }
    if ($bits -lt $script:MinBits) {
        throw (New-JobError -Id 'GUEST_KEY_INVALID' -Message "The guest's key has $bits bits, $($script:MinBits) are needed.")
    }
    $parameters = New-Object -TypeName System.Security.Cryptography.RSAParameters
    $parameters.Modulus = $numbers.Modulus
    $parameters.Exponent = $numbers.Exponent
    return $parameters
}

function Protect-GuestData {
    <#
    .SYNOPSIS
        Encrypts values for a guest with a fresh AES-256 key. Returns Items (by KVP name), WrappedKey and Checksum.
    .PARAMETER Values
        Text or SecureString by the name without hlvmm.data.
    .PARAMETER Key
        The guest's RSAParameters.
    .PARAMETER PieceUnits
        How many UTF-16 units a piece may have; 0: a value is never cut.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Values,
        [Parameter(Mandatory = $true)] [System.Security.Cryptography.RSAParameters] $Key,
        [int] $PieceUnits = 0
    )

    $aesKey = New-Object -TypeName 'byte[]' -ArgumentList 32
    $random = [System.Security.Cryptography.RandomNumberGenerator]::Create()
    $rsa = [System.Security.Cryptography.RSA]::Create()
    $plain = @{}
    $items = [ordered]@{}
    try {
        $random.GetBytes($aesKey)
        foreach ($name in $Values.Keys) {
            $value = $Values[$name]
            if ($value -is [System.Security.SecureString]) { $value = [System.Net.NetworkCredential]::new('', $value).Password }
            $plain[$script:DataPrefix + $name] = $value
            $pieces = @(if ($PieceUnits -gt 0) { [GuestCipher]::Cut($value, $PieceUnits) } else { $value })
            if ($pieces.Count -eq 1) { $items[$script:DataPrefix + $name] = [GuestCipher]::Encrypt($aesKey, $value) }
            else {
                for ($at = 0; $at -lt $pieces.Count; $at++) { $items[$script:DataPrefix + "$name._$at"] = [GuestCipher]::Encrypt($aesKey, $pieces[$at]) }
            }
        }
        $rsa.ImportParameters($Key)
        return @{
            Items      = $items
            WrappedKey = [Convert]::ToBase64String($rsa.Encrypt($aesKey, [System.Security.Cryptography.RSAEncryptionPadding]::Pkcs1))
            Checksum   = [GuestCipher]::Checksum($plain)
        }
    }
    finally {
        [Array]::Clear($aesKey, 0, $aesKey.Length)
        $plain.Clear()
        $rsa.Dispose()
        $random.Dispose()
    }
}

Export-ModuleMember -Function 'ConvertFrom-GuestKey', 'Protect-GuestData'
